import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../protocol/errors.ts';
import type { LogLine } from '../folder/log.ts';

/** The folder of a run in which a client on another machine has maps of attention written, for its viewer. */
const folderName = 'attention';
const ours = /\.attention\.(nii\.gz|png)$/;
/** A viewer that is open for longer than that, ms, has its map in memory. */
const oldAfter = 24 * 60 * 60 * 1000;

/** Removes maps of attention from the runs in a folder that are older than a day. Follows no link. */
export async function removeOldAttention(root: string, now: Date, log: LogLine): Promise<void> {
  for (const run of await namesIn(root, log)) {
    const folder = join(root, run, folderName);
    for (const name of (await namesIn(folder, log)).filter((one) => ours.test(one))) {
      const file = join(folder, name);
      try {
        if (now.getTime() - (await lstat(file)).mtimeMs > oldAfter) await rm(file, { force: true });
      } catch (error) {
        log('warning', `${file} cannot be removed: ${messageOf(error)}`);
      }
    }
  }
}

/** Nothing where there is no folder, or a link in its place. */
async function namesIn(folder: string, log: LogLine): Promise<string[]> {
  try {
    return (await lstat(folder)).isDirectory() ? await readdir(folder) : [];
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') log('warning', `${folder} cannot be read: ${messageOf(error)}`);
    return [];
  }
}
