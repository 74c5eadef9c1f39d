import { Command } from 'commander';
import { addDaemonCommands } from '../../daemon/cli/commands/daemonCommands.ts';
import { tasks } from '../../daemon/runs/start/tasks.ts';
import { toyTask } from './toyTask.ts';

/** The product's daemon and worker, with one kind of run more. */
const program = new Command('unimiss').option('--json');
addDaemonCommands(program, { tasks: [...tasks, toyTask] });
await program.parseAsync();
