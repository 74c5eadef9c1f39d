import type { RunFolder } from '../folder/runFolder.ts';

/** `cpu`, or `cuda:1`: runs and jobs on one device wait for each other. */
export function deviceOf({ config }: RunFolder): string {
  return config.engine.device === 'cuda' ? `cuda:${config.engine.gpu ?? 0}` : 'cpu';
}

/** As `deviceOf`, for lists: `unknown` for a run whose configuration this version cannot read. */
export function shownDevice(run: RunFolder): string {
  return run.readable ? deviceOf(run) : 'unknown';
}
