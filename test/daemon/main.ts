import { Command } from 'commander';
import { addDaemonCommands } from '../../daemon/cli/commands/daemonCommands.ts';
import { pretrainCommand, resumeCommand } from '../../daemon/cli/commands/pretrain.ts';
import { runsCommand } from '../../daemon/cli/commands/runs.ts';
import { exitCodeOf } from '../../daemon/cli/terminal/exitCodes.ts';
import { runJob } from '../../daemon/runs/jobs/job.ts';
import { messageOf } from '../../protocol/errors.ts';
import { fakeJob } from './fakeJob.ts';
import { fakeTrain } from './fakeTrainer.ts';

/** The commands that go through the daemon, where the process that it starts for a run is the fake trainer. */
if (process.argv[2] === 'job') process.exit(await runJob(fakeJob));
const program = new Command('unimiss').option('--json');
addDaemonCommands(program, { train: fakeTrain });
for (const command of [pretrainCommand, resumeCommand, runsCommand]) program.addCommand(command());
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
