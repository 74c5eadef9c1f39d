import { writeFile } from 'node:fs/promises';
import type { DoJob } from '../../daemon/runs/jobs/job.ts';
import { isObject } from '../../protocol/json.ts';

/** Embeds and predicts nothing, but reports its progress and answers as the job does, without TensorFlow. */
export const fakeJob: DoJob = async ({ task }, onProgress) => {
  if (isObject(task) && typeof task.growing === 'string') await writeFile(task.growing, 'labels', { flag: 'wx' });
  onProgress('Features 2D', 1, 1);
  const prediction = { step: 0, loadSeconds: 0, predicted: [], skipped: 0, failed: [], table: null };
  return { phases: [], broken: [], notices: ['done by the fake job'], ...prediction };
};
