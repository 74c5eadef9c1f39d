/** Codes a client can act on; the text is for people. */
export type ErrorCode =
  | 'config' // a configuration value is unknown or impossible
  | 'data' // images are missing or broken
  | 'engine' // TensorFlow cannot be found, loaded or run
  | 'checkpoint' // a checkpoint is missing or damaged
  | 'run' // a run folder is locked, missing or in the wrong state
  | 'daemon' // the daemon is not there, cannot be reached or does not fit
  | 'diverged' // the loss is not finite
  | 'disk' // no space or no permission
  | 'interrupted' // the user stopped it
  | 'internal'; // a defect of ours

/**
 * The one error type that people see: what was wrong, where, and what to do about it. `place` is a file, a field (`train.batch`),
 * an op or a shape; `remedy` is a sentence in the imperative. `images` lists the images, and folders of images, that the other
 * texts name, spelt exactly as there. Code that must hide names replaces these.
 */
export class UnimissError extends Error {
  override readonly name = 'UnimissError';
  constructor(
    readonly code: ErrorCode,
    readonly what: string,
    readonly details: { place?: string; remedy?: string; images?: readonly string[]; cause?: unknown } = {},
  ) {
    const { place, remedy, cause } = details;
    super(`${place ? `${place}: ` : ''}${withRemedy(what, remedy, '\n  ')}`, cause === undefined ? {} : { cause });
  }
}

/** What is wrong and, if known, what to do about it, without the place: in one line where that stands beside it already. */
export function withRemedy(what: string, remedy: string | undefined, between = '. '): string {
  return remedy ? `${what}${between}${remedy}` : what;
}

/** Place, what is wrong and what to do about it, in one line. @param beside a place that stands beside the line already */
export function oneLineOf({ what, details: { place, remedy } }: UnimissError, beside?: string): string {
  return `${place === undefined || place === beside ? '' : `${place}: `}${withRemedy(what, remedy)}`;
}

/** What went wrong, for any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
