import type { ConfigKind } from '../../../protocol/config/index.ts';
import { type JobName, type JobResult, type JobTask, jobTypes } from '../../../protocol/jobs/jobs.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { attendImage } from './attendImage.ts';
import { embedImages } from './embedImages.ts';
import { evaluateRun } from './evaluate/evaluateRun.ts';
import type { DoJob, OnJobProgress } from './job.ts';
import { neighbourImages } from './neighbourImages.ts';
import { LoadedNetworks } from './predict/loadedNetworks.ts';
import { openSources } from './predict/openSources.ts';
import { predictImages } from './predict/predictImages.ts';

type Work = {
  [N in JobName]: (task: JobTask<N>, onProgress: OnJobProgress, kinds: readonly ConfigKind[]) => Promise<JobResult<N>>;
};

/** Jobs that follow each other in a process use what is loaded. */
const networks = new LoadedNetworks();

/** The work of each job: one function per row of `jobTypes`. */
const work: Work = {
  attend: async (task, onProgress, kinds) => attendImage(await RunFolder.open(task.run, kinds), task, onProgress),
  neighbours: async (task, onProgress, kinds) =>
    neighbourImages(await RunFolder.open(task.run, kinds), task, onProgress),
  embed: async (task, onProgress, kinds) => embedImages(await RunFolder.open(task.run, kinds), task, onProgress),
  predict: async (task, onProgress, kinds) =>
    predictImages(await openSources([task.run, ...task.folds], kinds), task, onProgress, networks.open),
  evaluate: async (task, onProgress, kinds) => evaluateRun(await RunFolder.open(task.run, kinds), task, onProgress),
};

/**
 * Returns a function that runs a job in this process. It throws UnimissError; ZodError for a task that does not fit its row.
 * @param kinds the known kinds of runs
 */
export function workerOf(kinds: readonly ConfigKind[]): DoJob {
  const done = <N extends JobName>(name: N, task: unknown, onProgress: OnJobProgress) =>
    work[name](jobTypes[name].task.parse(task) as JobTask<N>, onProgress, kinds);
  return ({ name, task }, onProgress) => done(name, task, onProgress);
}
