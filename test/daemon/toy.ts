import { Command } from 'commander';
import { addDaemonCommands } from '../../daemon/cli/commands/daemonCommands.ts';
import { metricsCommand } from '../../daemon/cli/commands/metrics.ts';
import { runsCommand } from '../../daemon/cli/commands/runs.ts';
import { tasks } from '../../daemon/runs/start/tasks.ts';
import { toyTask } from './toyTask.ts';

/** The product's daemon and worker and the commands that show runs, with one kind of run more. */
const program = new Command('unimiss').option('--json');
const all = [...tasks, toyTask];
addDaemonCommands(program, { tasks: all });
for (const command of [metricsCommand, runsCommand]) program.addCommand(command(all));
await program.parseAsync();
