import { resolve } from 'node:path';
import { Command } from 'commander';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { runWorker, type TrainRun } from '../../runs/supervise/trainer.ts';

/**
 * `unimiss worker FOLDER --place FILE`: the daemon starts it for each run. Not listed in the help.
 * @param train default: the trainer of these kinds
 */
export function workerCommand(tasks: readonly Task[] = productTasks, train?: TrainRun): Command {
  return new Command('worker')
    .argument('<folder>')
    .requiredOption('--place <file>', 'file that sets its control socket and its output file')
    .action(async (folder: string, { place }: { place: string }) => {
      const trainRun = train ?? (await import('../../runs/jobs/trainer.ts')).trainerWithJobs(tasks);
      process.exit(await runWorker(resolve(folder), trainRun, { placeFile: place, kinds: kindsOf(tasks) }));
    });
}
