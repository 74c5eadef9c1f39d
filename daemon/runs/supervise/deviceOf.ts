import type { RunFolder } from '../folder/runFolder.ts';

/** `cpu`, or `cuda:1`: runs and jobs on one device wait for each other. */
export function deviceOf({ config }: RunFolder): string {
  return config.engine.device === 'cuda' ? `cuda:${config.engine.gpu ?? 0}` : 'cpu';
}
