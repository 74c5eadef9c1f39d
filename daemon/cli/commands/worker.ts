import { resolve } from 'node:path';
import { Command } from 'commander';
import { runWorker, type TrainRun } from '../../runs/supervise/trainer.ts';

/**
 * `unimiss worker FOLDER --place FILE`: what the daemon starts for each run. Not listed in the help.
 * @param train default: what trains the product's runs
 */
export function workerCommand(train?: TrainRun): Command {
  return new Command('worker')
    .argument('<folder>')
    .requiredOption('--place <file>', 'says where it is controlled, and where its output goes')
    .action(async (folder: string, { place }: { place: string }) => {
      const trainRun = train ?? (await import('../../runs/start/trainRun.ts')).trainRun;
      process.exit(await runWorker(resolve(folder), trainRun, place));
    });
}
