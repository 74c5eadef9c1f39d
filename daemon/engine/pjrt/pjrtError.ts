import { UnimissError } from '../../../protocol/errors.ts';
import type { PjrtFunction } from './slots.ts';

/** An error of the plugin, before it is known what for. */
export class PjrtError extends Error {
  constructor(
    readonly call: PjrtFunction,
    /** As in absl::StatusCode. */
    readonly code: number,
    readonly words: string,
  ) {
    super(`PJRT_${call}: ${words}`);
  }
}

/** absl::StatusCode::kResourceExhausted */
const RESOURCE_EXHAUSTED = 8;

/**
 * The error for people: the plugin's words, and where. Other errors are returned as they are.
 * @param noMemory what to do if the device's memory is exhausted
 */
export function explained(
  error: unknown,
  place: string,
  noMemory = 'Use a smaller batch, or accumulate gradients (train.accumulate).',
): unknown {
  if (!(error instanceof PjrtError)) return error;
  return new UnimissError('engine', `PJRT: ${error.words}`, {
    place,
    ...(error.code === RESOURCE_EXHAUSTED && { remedy: noMemory }),
    cause: error,
  });
}
