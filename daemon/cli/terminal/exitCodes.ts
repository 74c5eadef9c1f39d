import { type ErrorCode, UnimissError } from '../../../protocol/errors.ts';

/** The meanings of exit codes for scripts; 0 is success. `unimiss --help` shows them. */
export const exitCodes: Record<ErrorCode | 'usage', { code: number; meaning: string }> = {
  internal: { code: 1, meaning: 'internal error: a bug in UniMiSS' },
  usage: { code: 2, meaning: 'invalid command line' },
  config: { code: 3, meaning: 'invalid configuration' },
  data: { code: 4, meaning: 'images are missing or too many are broken' },
  engine: { code: 5, meaning: 'TensorFlow is missing, or cannot be loaded or run' },
  checkpoint: { code: 6, meaning: 'a checkpoint is missing or damaged' },
  run: { code: 7, meaning: 'a run is missing, locked or in the wrong state' },
  disk: { code: 8, meaning: 'no space left, or no write permission' },
  diverged: { code: 9, meaning: 'the loss was not finite' },
  daemon: { code: 10, meaning: 'the daemon is not running, cannot be reached or has another version' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C or a signal; the run can be resumed' },
};

/** The exit code for any thrown value. */
export function exitCodeOf(error: unknown): number {
  return exitCodes[error instanceof UnimissError ? error.code : 'internal'].code;
}
