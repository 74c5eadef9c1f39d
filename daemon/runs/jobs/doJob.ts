import { type Job, type JobName, type JobResult, type JobTask, jobTypes } from '../../../protocol/jobs/jobs.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { embedImages } from './embedImages.ts';

/** Tells how far a job is. */
export type OnJobProgress = (what: string, done: number, total: number) => void;

/** What each job does: one function for each row of `jobTypes`. */
const work: { [N in JobName]: (task: JobTask<N>, onProgress: OnJobProgress) => Promise<JobResult<N>> } = {
  embed: async (task, onProgress) => embedImages(await RunFolder.open(task.run), task, onProgress),
};

/** Does a job in this process. @throws UnimissError; ZodError for a task that is not as its row declares */
export async function doJob({ name, task }: Job, onProgress: OnJobProgress): Promise<unknown> {
  return work[name](jobTypes[name].task.parse(task), onProgress);
}
