import type { Stats } from 'node:fs';
import { chmod, lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../protocol/errors.ts';

/**
 * Bits of folder modes: rights of others (neither owner nor group), rights of the group, and the bit that gives new files inside
 * to the group.
 */
const OTHERS = 0o007;
const GROUP = 0o070;
const SET_GROUP_ID = 0o2000;
/** The mode of a folder that is private to the user. */
const PRIVATE = 0o700;

/**
 * The mode of a new run in a folder of runs: 0700. If the folder is shared with a group on purpose, the group has the same rights
 * in the run as in the folder. A folder counts as shared on purpose if it excludes others (0770, 0750) or has the set-group-ID
 * bit (2775); a usual umask causes neither.
 */
export async function modeOfRuns(root: string): Promise<number> {
  return PRIVATE | groupBits(await stat(root));
}

/**
 * Removes the rights that a usual umask gives others on a folder of runs and its runs, because previews show patients. A folder
 * that others cannot enter keeps its mode. If the folder of runs is shared with a group on purpose (see `modeOfRuns`), the group
 * keeps its rights. If the folder contains anything but runs (a home, /tmp), it keeps its mode and only its runs are closed.
 * Folders of other users keep their mode too.
 * @param notice receives what cannot be changed, and why
 */
export async function closeToOthers(root: string, notice: (message: string) => void): Promise<void> {
  try {
    const found = await stat(root);
    const names = (await readdir(root)).filter((name) => !name.startsWith('.'));
    const folders = names.map((name) => join(root, name));
    const runs: string[] = [];
    for (const folder of folders) if (await isRun(folder)) runs.push(folder);
    const shared = groupBits(found);
    for (const run of runs) await close(run, shared);
    await close(join(root, '.trash'), shared);
    if (runs.length > 0 && runs.length === folders.length) await close(root, shared);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return; // there is no run yet, or it was removed meanwhile
    notice(`Other users may be able to read the runs in ${root}: ${messageOf(error)}`);
  }
}

/** The rights that the group of a folder of runs has on purpose. */
function groupBits({ mode }: Stats): number {
  return (mode & OTHERS) === 0 || (mode & SET_GROUP_ID) !== 0 ? mode & GROUP : 0;
}

/** Follows no links: they may lead to folders without runs. */
async function close(folder: string, shared: number): Promise<void> {
  const found = await lstatIfThere(folder);
  if (!found?.isDirectory() || (found.mode & OTHERS) === 0 || found.uid !== process.getuid?.()) return;
  await chmod(folder, (found.mode & SET_GROUP_ID) | PRIVATE | (found.mode & shared));
}

async function isRun(folder: string): Promise<boolean> {
  return (await lstatIfThere(join(folder, 'run.json')))?.isFile() === true;
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    // What another user has closed is not ours to change.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES') return undefined;
    throw error;
  });
}
