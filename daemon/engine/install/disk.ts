import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { humanBytes } from '../../../protocol/words.ts';
import { makeFolder } from '../../files/folder.ts';

/** Free bytes for this user on the file system of a folder, or of its nearest ancestor that exists. */
export async function freeBytes(folder: string): Promise<number> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(at) === at) throw error;
    }
  }
}

/**
 * Refuses a download that would fill the disk, before it begins.
 * @throws UnimissError `disk`
 */
export async function checkSpace(folder: string, needed: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free < needed) {
    throw new UnimissError('disk', `The installation needs ${humanBytes(needed)}; ${humanBytes(free)} are free`, {
      place: folder,
      remedy: 'Free some space, or set UNIMISS_CACHE to a folder on another disk.',
    });
  }
}

/**
 * Makes a folder and checks that it is writable.
 * @throws UnimissError `disk`
 */
export async function makeWritable(folder: string): Promise<void> {
  try {
    await makeFolder(folder, { mode: 0o755 }); // what lies in it is run: nobody else writes there
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cacheError(error, folder);
  }
}

/** An error of the file system in the cache, as a sentence with its remedy. */
export function cacheError(error: unknown, place: string): UnimissError {
  if (error instanceof UnimissError) return error;
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  const other = 'set UNIMISS_CACHE to a writable folder';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const what = code === 'ENOSPC' ? 'The disk is full' : 'Your quota on this disk is used up';
    return new UnimissError('disk', what, { place, remedy: `Free some space, or ${other}.`, cause: error });
  }
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)) {
    const what =
      code === 'EROFS'
        ? 'The file system is read-only'
        : code === 'EACCES' || code === 'EPERM'
          ? 'No permission to write here'
          : 'A file exists where this folder should be';
    return new UnimissError('disk', what, {
      place,
      remedy: `Grant write permission, or ${other}, or use what is installed elsewhere (UNIMISS_TENSORFLOW=folder, UNIMISS_PJRT=file).`,
      cause: error,
    });
  }
  return new UnimissError('engine', messageOf(error), { place, cause: error });
}
