import { type MakerSetup, makerOf } from './makers.ts';
import { type BatchMaker, WorkerThread } from './workerThread.ts';

/** Opens `workers` threads that make what `setup` says; 0: makes it in this thread, for debugging. */
export function openMakers<Task, Made>(workers: number, setup: MakerSetup): BatchMaker<Task, Made>[] {
  if (workers > 0) return Array.from({ length: workers }, () => new WorkerThread<Task, Made>(setup));
  const maker = makerOf(setup) as { make(task: unknown): Promise<unknown> };
  return [{ make: (task) => maker.make(task) as Promise<Made>, close: async () => undefined }];
}
