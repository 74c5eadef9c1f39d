import type { Command } from 'commander';
import type { TrainRun } from '../../runs/supervise/trainer.ts';
import { connectCommand } from './connect.ts';
import { daemonCommand } from './daemon.ts';
import { deleteCommand } from './delete.ts';
import { jobCommand } from './job.ts';
import { logsCommand } from './logs.ts';
import { continueCommand, killCommand, pauseCommand, stopCommand } from './steer.ts';
import { workerCommand } from './worker.ts';

/**
 * Adds the commands that are about the daemon, and those that it starts for runs and jobs, which the help does not list.
 * @param train what a worker trains with; default: what trains the product's runs
 */
export function addDaemonCommands(program: Command, train?: TrainRun): void {
  for (const command of [
    logsCommand,
    pauseCommand,
    continueCommand,
    stopCommand,
    killCommand,
    deleteCommand,
    daemonCommand,
    connectCommand,
  ])
    program.addCommand(command());
  for (const command of [workerCommand(train), jobCommand()]) program.addCommand(command, { hidden: true });
}
