import { dirname, join } from 'node:path';
import { UnimissError } from '../../../../protocol/errors.ts';
import type { CaseFiles } from '../../../data/prepared/settings.ts';
import { diskError, removePartial } from '../../../files/atomic.ts';
import { makeFolder } from '../../../files/folder.ts';

/**
 * Makes the folder of results, with those for the images, and removes what a killed prediction left half-written there.
 * @throws UnimissError 'disk' where it cannot be written: before anything is computed
 */
export async function openResults(out: string, cases: readonly CaseFiles[]): Promise<void> {
  const folders = new Set([out, ...cases.map(({ id }) => dirname(join(out, id)))]);
  for (const folder of folders) {
    try {
      await makeFolder(folder);
      await removePartial(folder, { ofDead: true });
    } catch (error) {
      throw diskError(error, folder);
    }
  }
}

const goOn = 'run the command again: it predicts only what is missing.';
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: `Free some space, then ${goOn}`,
  EDQUOT: `Free some space, then ${goOn}`,
  EROFS: 'Choose a folder that can be written (--out).',
  EACCES: 'Change the permissions, or choose another folder (--out).',
  EPERM: 'Change the permissions, or choose another folder (--out).',
  EFBIG: 'Choose a folder on another disk (--out).',
  EIO: `Check the disk, then ${goOn}`,
};

/** The error of a disk, with the way out for predictions; any other error unchanged. */
export function resultsError(error: unknown): unknown {
  if (!(error instanceof UnimissError) || error.code !== 'disk') return error;
  const { cause } = error.details;
  const remedy = remedies[(cause as NodeJS.ErrnoException | undefined)?.code ?? ''];
  return remedy === undefined ? error : new UnimissError('disk', error.what, { ...error.details, remedy });
}
