/** Scores along an axis whose weighted mean is the score of an output. */
export interface Taps {
  readonly first: number;
  /** One or two; their sum is 1. */
  readonly weights: readonly number[];
}

/** Outputs that follow each other and have taps at the same places. */
export interface TapRun {
  readonly first: number;
  readonly count: number;
  /** The outputs [from, to). */
  readonly from: number;
  readonly to: number;
  /** [to − from, count] */
  readonly weights: Float64Array;
}

/**
 * Where `to` outputs lie among `from` scores that cover the same length, linearly interpolated. What lies beyond the outer centres has the
 * border's value.
 */
export function scoreTaps(from: number, to: number): Taps[] {
  return Array.from({ length: to }, (_, o) => {
    const at = Math.min(Math.max(((o + 0.5) * from) / to - 0.5, 0), from - 1);
    const first = Math.floor(at);
    const share = at - first;
    return { first, weights: share > 0 ? [1 - share, share] : [1] };
  });
}

/** Groups outputs by the places of their taps. */
export function tapRuns(taps: readonly Taps[]): TapRun[] {
  const runs: TapRun[] = [];
  for (let from = 0; from < taps.length; ) {
    const { first, weights } = taps[from]!;
    let to = from + 1;
    while (to < taps.length && taps[to]!.first === first && taps[to]!.weights.length === weights.length) to++;
    const all = taps.slice(from, to).flatMap((one) => one.weights);
    runs.push({ first, count: weights.length, from, to, weights: Float64Array.from(all) });
    from = to;
  }
  return runs;
}
