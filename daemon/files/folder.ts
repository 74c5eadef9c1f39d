import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';

/**
 * Makes a folder and those above it that are missing. In place of Node's recursive mkdir, which never returns below /proc and
 * calls a read-only disk a missing folder.
 * @param mode of every folder that is made, restricted by the user's umask
 * @throws the system's error (ENOTDIR where a file is in the way), which `diskError` puts into words; UnimissError 'disk' in a
 * place that holds no folders of users
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

/** The slash lets the system refuse a file. */
async function isFolder(path: string): Promise<boolean> {
  try {
    await stat(`${path}/`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
