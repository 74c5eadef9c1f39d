import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Age after which a file is of a window that was killed, ms: one in use is written every second, or read at once. */
const oldAfter = 24 * 60 * 60 * 1000;

/** Where the labels of a prediction of this window grow. @param storage folder of the extension's own files */
export function growingFile(storage: string, number: number): string {
  return join(storage, 'growing', `${process.pid}-${number}.nii`);
}

/** Where maps of attention for the viewer are written. */
export function attentionFolder(storage: string, run: string): string {
  return join(storage, 'attention', run);
}

/**
 * Removes what windows that were killed have left of labels that grew and of attention.
 * @throws the system's error
 */
export async function removeLeftovers(storage: string, now = Date.now()): Promise<void> {
  for (const name of ['growing', 'attention']) {
    const folder = join(storage, name);
    const names = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    for (const file of names.filter((one) => /\.(nii(\.gz)?|png|partial)$/.test(one)).map((one) => join(folder, one))) {
      // Another window may be removing it.
      const found = await stat(file).catch(() => undefined);
      if (found?.isFile() && now - found.mtimeMs > oldAfter) await rm(file, { force: true });
    }
  }
}
