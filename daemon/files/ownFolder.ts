import { constants, type Stats } from 'node:fs';
import { lstat, open, readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { isInside } from '../../protocol/insideFolder.ts';

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
 * Why another user could have written one of some files, or put it there: of the files, and of their folders up to `top`. root is trusted,
 * who can write anything anyhow, and a group that has this user alone. Links count as what they lead to.
 * @returns the place, and a clause whose subject is that place; undefined where nobody else could
 * @throws the system's error
 */
export async function foreignAmong(
  files: readonly string[],
  top: string,
): Promise<{ readonly place: string; readonly why: string } | undefined> {
  const uid = process.getuid?.();
  if (uid === undefined) return undefined; // Windows: the user's profile is the user's alone
  const places = new Set<string>();
  for (const file of files) for (let at = file; isInside(top, at) && !places.has(at); at = dirname(at)) places.add(at);
  // Folders first: a file of a folder that others may write to is anybody's.
  for (const place of [...places].sort((a, b) => a.length - b.length)) {
    const why = await foreignBy(await stat(place), uid);
    if (why !== undefined) return { place, why };
  }
  return undefined;
}

async function foreignBy(found: Stats, uid: number): Promise<string | undefined> {
  const { uid: owner, gid, mode } = found;
  if (owner !== uid && owner !== 0) return `belongs to user ${owner}, neither to you (${uid}) nor to root`;
  // Of a folder with the sticky bit, as /tmp, nobody replaces what others have in it.
  if (found.isDirectory() && (mode & 0o1000) !== 0) return undefined;
  const shared = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !(await isPrivateGroup(gid)));
  return shared ? `can be written by others (mode ${(mode & 0o777).toString(8)})` : undefined;
}

/** Many systems make a group for each user, with the user's name and no other member. */
async function isPrivateGroup(gid: number): Promise<boolean> {
  try {
    const { username } = userInfo();
    const groups = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
    const [name, , , members = ''] = groups.find(([, , id]) => id === String(gid)) ?? [];
    return name === username && members.split(',').every((member) => member === '' || member === username);
  } catch {
    return false; // a user without a name, or a system without this list
  }
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
