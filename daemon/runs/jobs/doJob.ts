import { RunFolder } from '../folder/runFolder.ts';
import { embedImages } from './embedImages.ts';
import type { DoJob } from './job.ts';

/** What each job is. Results are as the protocol declares them for the requests behind. */
export const doJob: DoJob = async ({ task }, onProgress) =>
  embedImages(await RunFolder.open(task.run), task, onProgress);
