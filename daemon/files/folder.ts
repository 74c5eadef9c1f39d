import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';
import { diskError } from './atomic.ts';

/**
 * Makes a folder and missing parents. Replaces Node's recursive mkdir, which never returns below /proc and reports a read-only
 * disk as a missing folder.
 * @param mode mode of every new folder, restricted by the user's umask
 * @throws the system's error (ENOTDIR if a file is in the way), which `diskError` explains; UnimissError 'disk' in a place where
 * users cannot have folders
 */
export async function makeFolder(folder: string, { mode = 0o777 }: { mode?: number } = {}): Promise<void> {
  if (await isFolder(folder)) return;
  const above = dirname(folder);
  await makeFolder(above, { mode });
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    if (await isFolder(folder)) return; // another process was faster
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new UnimissError('disk', 'cannot create folders here', {
      place: above,
      remedy: 'Choose a folder on a disk.',
      cause: error,
    });
  }
}

/** As `makeFolder`. @throws UnimissError 'disk' */
export async function requireFolder(folder: string, options?: { mode?: number }): Promise<void> {
  await makeFolder(folder, options).catch((error: unknown) => {
    throw diskError(error, folder);
  });
}

/** The slash makes the system refuse a file. */
async function isFolder(path: string): Promise<boolean> {
  try {
    await stat(`${path}/`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
