import type { Task } from '../start/task.ts';
import { type AfterTraining, trainerOf } from '../start/trainRun.ts';

/** As `trainerOf`, with the work that follows a training. Loaded when a training has finished: trainers of pre-training never need it. */
export function trainerWithJobs(tasks: readonly Task[]) {
  return trainerOf(tasks, after);
}

const after: AfterTraining = async (run, on) => {
  if (run.task !== 'finetune') return true;
  const { decideLargestComponent } = await import('./evaluate/decideLargestComponent.ts');
  return decideLargestComponent(run, on);
};
