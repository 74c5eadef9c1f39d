import { resolve } from 'node:path';
import { Command } from 'commander';
import { runWorker } from '../../runs/supervise/trainer.ts';

/** `unimiss worker FOLDER`: what the daemon starts for each run. Not listed in the help. */
export function workerCommand(): Command {
  return new Command('worker').argument('<folder>').action(async (folder: string) => {
    const { trainRun } = await import('../../runs/start/trainRun.ts');
    process.exit(await runWorker(resolve(folder), trainRun));
  });
}
