import type { Command } from 'commander';
import type { Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import type { TrainRun } from '../../runs/supervise/trainer.ts';
import { connectCommand } from './connect.ts';
import { daemonCommand } from './daemon.ts';
import { deleteCommand } from './delete.ts';
import { jobCommand } from './job.ts';
import { logsCommand } from './logs.ts';
import { continueCommand, killCommand, moveCommand, pauseCommand, renameCommand, stopCommand } from './steer.ts';
import { workerCommand } from './worker.ts';

/**
 * Adds the commands about the daemon, and those that it starts for runs and jobs, which the help does not list.
 * @param product.tasks the kinds of runs that daemon, worker and jobs know; default: the product's
 * @param product.train trains runs in a worker; default: the trainer of these kinds
 */
export function addDaemonCommands(
  program: Command,
  { tasks = productTasks, train }: { tasks?: readonly Task[]; train?: TrainRun } = {},
): void {
  for (const command of [
    logsCommand,
    pauseCommand,
    continueCommand,
    stopCommand,
    killCommand,
    moveCommand,
    renameCommand,
    deleteCommand,
    connectCommand,
  ])
    program.addCommand(command());
  program.addCommand(daemonCommand(tasks));
  for (const command of [workerCommand(tasks, train), jobCommand(tasks)]) program.addCommand(command, { hidden: true });
}
