import type { Stats } from 'node:fs';
import { chmod, lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../protocol/errors.ts';

/** Modes of folders: what others (neither owner nor group) may do, what the group may do, and that what is made inside belongs to the group. */
const OTHERS = 0o007;
const GROUP = 0o070;
const SET_GROUP_ID = 0o2000;
/** The mode of a folder that is the user's alone. */
const PRIVATE = 0o700;

/**
 * The mode of a new run in a folder of runs: 0700. Where the folder is shared with a group on purpose, the group may do in the run
 * what it may do in the folder. A folder counts as shared on purpose where others are kept out (0770, 0750) or the set-group-ID bit is
 * set (2775): a usual umask makes neither.
 */
export async function modeOfRuns(root: string): Promise<number> {
  return PRIVATE | groupBits(await stat(root));
}

/**
 * Takes away what a usual umask lets others do with a folder of runs and the runs in it: previews show patients. A folder that others
 * cannot enter keeps its mode; where the folder of runs is shared with a group on purpose (see `modeOfRuns`), the group keeps
 * what it may do. A folder that holds anything but runs (a home, /tmp) keeps its mode, and only its runs are closed; so
 * does what belongs to another user.
 * @param notice told what cannot be changed, and why
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
    if (code === 'ENOENT' || code === 'ENOTDIR') return; // there is no run yet, or one was removed meanwhile
    notice(`Other users may be able to read the runs in ${root}: ${messageOf(error)}`);
  }
}

/** What the group of a folder of runs may do on purpose. */
function groupBits({ mode }: Stats): number {
  return (mode & OTHERS) === 0 || (mode & SET_GROUP_ID) !== 0 ? mode & GROUP : 0;
}

/** Links are not followed: they may lead to folders that hold no runs. */
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
    // What another user has closed is not ours.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES') return undefined;
    throw error;
  });
}
