import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';

/**
 * Why what lies in a folder may be someone else's work: it must not be run.
 * @returns a clause whose subject is the folder; undefined where only this user can have written into it, and where there is none
 * @throws the system's error
 */
export async function foreignFolder(folder: string): Promise<string | undefined> {
  const found = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return undefined;
  if (!found.isDirectory()) return 'is a link or a file, not a folder';
  const uid = process.getuid?.();
  if (uid === undefined) return undefined; // Windows: the user's profile is the user's alone
  if (found.uid !== uid) return `belongs to user ${found.uid}, not to you (${uid})`;
  return (found.mode & 0o022) === 0 ? undefined : `can be written by others (mode ${(found.mode & 0o777).toString(8)})`;
}

/**
 * All bytes of a file that this user has written; undefined where there is none, and where it is a link or another user's.
 * @throws the system's error
 */
export async function readOwnFile(file: string): Promise<Buffer | undefined> {
  const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY } = constants;
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ELOOP') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const found = await handle.stat();
    const uid = process.getuid?.();
    return found.isFile() && (uid === undefined || found.uid === uid) ? await handle.readFile() : undefined;
  } finally {
    await handle.close();
  }
}
