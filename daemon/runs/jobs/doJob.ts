import { type Job, type JobName, type JobResult, type JobTask, jobTypes } from '../../../protocol/jobs/jobs.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { embedImages } from './embedImages.ts';

/** Reports the progress of a job. */
export type OnJobProgress = (what: string, done: number, total: number) => void;

/** The work of each job: one function per row of `jobTypes`. */
const work: { [N in JobName]: (task: JobTask<N>, onProgress: OnJobProgress) => Promise<JobResult<N>> } = {
  embed: async (task, onProgress) => embedImages(await RunFolder.open(task.run), task, onProgress),
};

/** Runs a job in this process. @throws UnimissError; ZodError for a task that does not fit its row */
export async function doJob({ name, task }: Job, onProgress: OnJobProgress): Promise<unknown> {
  return work[name](jobTypes[name].task.parse(task), onProgress);
}
