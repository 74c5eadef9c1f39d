import { randomBytes } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { diskError } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { privacyKey } from '../folder/privacy.ts';
import { findRunEngine } from './findRunEngine.ts';
import { type Task, taskOf } from './task.ts';

/**
 * Refuses a run that could not begin, before making a folder for it. Checks images, first weights, TensorFlow for the device, and
 * the folder of runs, which it makes if missing. Takes seconds at most, even for large folders of images: it loads no TensorFlow, and
 * reads headers for a short time; problems that only these show appear at the run's start.
 * @param root the folder of runs
 * @throws UnimissError 'data', 'checkpoint', 'engine' or 'disk' with place and remedy
 */
export async function checkRunnable(config: ResolvedConfig, root: string, tasks: readonly Task[]): Promise<void> {
  await taskOf(config, tasks).check(config);
  await findRunEngine(config.engine);
  if (config.records.hidePaths) await privacyKey();
  await requireWritable(root);
}

/** Permissions do not reveal read-only disks and the like, so this tries to write. */
async function requireWritable(root: string): Promise<void> {
  const trial = join(root, `.trial-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await makeFolder(trial, { mode: 0o700 }); // if it makes the folder of runs, that is private to the user
    await rmdir(trial);
  } catch (error) {
    throw diskError(error, root);
  }
}
