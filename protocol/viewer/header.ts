/** A line of a file's header. */
export interface HeaderLine {
  readonly name: string;
  /** undefined: it may name a patient, and nobody has asked for it. */
  readonly value: string | undefined;
}

/** What the header of a file says. */
export interface HeaderView {
  readonly lines: readonly HeaderLine[];
  /** Lines whose values are withheld. */
  readonly withheld: number;
}
