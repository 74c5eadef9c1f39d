import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { trashDays } from '../../../protocol/runs/messages.ts';
import { diskError, syncFolder } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { isLocked, lockRun } from '../folder/lock.ts';
import type { LogLine } from '../folder/log.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import type { Supervisor } from './supervisor.ts';

/** The time of deletion (UTC) is part of the name, so that no copy, backup or look into the folder changes it. */
const named = /-deleted-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(\.removing)?$/;
const DAY = 24 * 60 * 60 * 1000;

/** Moves a run to `.trash` beside it; no process may train it meanwhile. @returns its new path */
export async function moveToTrash(run: RunFolder, supervisor: Supervisor, now = new Date()): Promise<string> {
  const { activity } = supervisor.live(run.folder);
  if (activity !== null)
    throw new UnimissError('run', `cannot be deleted while it is ${activity}`, {
      place: run.id,
      remedy: 'Stop it first.',
    });
  const lock = await lockRun(run.lockFile);
  try {
    const folder = trashOf(dirname(run.folder));
    const stamp = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    const target = join(folder, `${run.id}-deleted-${stamp}`);
    await makeFolder(folder);
    await rename(run.folder, target);
    await syncFolder(dirname(run.folder));
    return target;
  } catch (error) {
    throw diskError(error, run.folder);
  } finally {
    lock.release();
  }
}

/**
 * Removes the runs that have been in the trash of a folder of runs for longer than `trashDays`. Touches only what `moveToTrash`
 * put there: a folder, not a link, whose name contains the time; and no run that is in training there.
 * @returns the names of the removed runs
 */
export async function emptyTrash(root: string, now: Date, log: LogLine): Promise<string[]> {
  const trash = trashOf(root);
  const removed: string[] = [];
  for (const name of await foldersIn(trash, log)) {
    const since = deletedAt(name);
    if (since === undefined || now.getTime() - since <= trashDays * DAY) continue;
    const folder = join(trash, name);
    try {
      if (isLocked(join(folder, 'lock'))) continue;
      // A half-deleted run must not look like one that can be moved back.
      const doomed = name.endsWith('.removing') ? folder : `${folder}.removing`;
      if (doomed !== folder) await rename(folder, doomed);
      await rm(doomed, { recursive: true });
      removed.push(name);
      log('info', `Removed ${folder}, which was moved to the trash more than ${trashDays} days ago`);
    } catch (error) {
      log('warning', `${folder} cannot be removed: ${messageOf(error)}`);
    }
  }
  return removed;
}

const trashOf = (root: string): string => join(root, '.trash');

/** When the run of this name was deleted, ms since 1970; undefined if the name does not say. */
function deletedAt(name: string): number | undefined {
  const parts = named.exec(name)?.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (!parts) return undefined;
  const [year, month, ...rest] = parts;
  return Date.UTC(year, month - 1, ...rest);
}

async function foldersIn(folder: string, log: LogLine): Promise<string[]> {
  try {
    if (!(await lstat(folder)).isDirectory()) return [];
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log('warning', `${folder} cannot be read: ${messageOf(error)}`);
    return [];
  }
}
