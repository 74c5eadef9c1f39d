import type { Command } from 'commander';
import { connectCommand } from './connect.ts';
import { daemonCommand } from './daemon.ts';
import { deleteCommand } from './delete.ts';
import { jobCommand } from './job.ts';
import { logsCommand } from './logs.ts';
import { continueCommand, killCommand, pauseCommand, stopCommand } from './steer.ts';
import { workerCommand } from './worker.ts';

/** Adds the commands that are about the daemon, and those that it starts for runs and jobs, which the help does not list. */
export function addDaemonCommands(program: Command): void {
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
  for (const command of [workerCommand, jobCommand]) program.addCommand(command(), { hidden: true });
}
