import { Command, CommanderError } from 'commander';
import { version } from '../package.json';
import { UnimissError } from '../protocol/errors.ts';
import { completionCommand } from './cli/commands/completion.ts';
import { addDaemonCommands } from './cli/commands/daemonCommands.ts';
import { embedCommand } from './cli/commands/embed.ts';
import { engineCommand } from './cli/commands/engine.ts';
import { evaluateCommand } from './cli/commands/evaluate.ts';
import { exportCommand } from './cli/commands/export.ts';
import { finetuneCommand } from './cli/commands/finetune.ts';
import { initCommand } from './cli/commands/init.ts';
import { metricsCommand } from './cli/commands/metrics.ts';
import { argumentsThere, goThere, machineOption } from './cli/commands/onMachine.ts';
import { openCommand } from './cli/commands/open.ts';
import { phantomsCommand } from './cli/commands/phantoms.ts';
import { planCommand } from './cli/commands/plan.ts';
import { predictCommand } from './cli/commands/predict.ts';
import { pretrainCommand, resumeCommand } from './cli/commands/pretrain.ts';
import { runsCommand } from './cli/commands/runs.ts';
import { compareCommand } from './cli/compare/compare.ts';
import { demoCommand } from './cli/demo/demo.ts';
import { exitCodeOf, exitCodes } from './cli/terminal/exitCodes.ts';
import { arrangeHelp } from './cli/terminal/overview.ts';
import { writeError } from './cli/terminal/reporter.ts';

const program = new Command('unimiss')
  .description('Self-supervised pre-training of one network on 2D and 3D medical images (UniMiSS, ECCV 2022).')
  .version(version)
  .option('--json', 'write results as JSON lines for scripts; progress goes to standard error')
  .addOption(machineOption())
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('(see --help)')
  .addHelpText(
    'after',
    `
First steps:
  unimiss engine install                    install TensorFlow (once)
  unimiss demo                              try it on synthetic images
  unimiss init ~/images > ct.unimiss.jsonc  a configuration for your images
  unimiss pretrain ct.unimiss.jsonc         train; Ctrl-C saves and stops
  unimiss resume                            resume the newest unfinished run
  unimiss plan ~/labelled > organs.unimiss.jsonc
  unimiss finetune organs.unimiss.jsonc --from RUN
  unimiss --machine gpu1 runs               a command on another machine, by ssh
  unimiss COMMAND --help                    all options of a command

Exit codes:
  0 success
${Object.values(exitCodes)
  .toSorted((a, b) => a.code - b.code)
  .map(({ code, meaning }) => `  ${code} ${meaning}`)
  .join('\n')}`,
  );

// In the order of the help.
for (const command of [
  demoCommand,
  initCommand,
  planCommand,
  engineCommand,
  completionCommand,
  pretrainCommand,
  finetuneCommand,
  resumeCommand,
  compareCommand,
  predictCommand,
  evaluateCommand,
  embedCommand,
  exportCommand,
  runsCommand,
  metricsCommand,
  openCommand,
])
  program.addCommand(command());
addDaemonCommands(program);
program.addCommand(phantomsCommand());
arrangeHelp(program);
goThere(program);
for (const command of withSubcommands(program)) command.exitOverride();

// A reader that has seen enough (head, less) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync(argumentsThere(process.argv.slice(2)) ?? process.argv.slice(2), { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage.code;
  else {
    writeError(explain(error));
    process.exitCode = exitCodeOf(error);
  }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function explain(error: unknown): string {
  if (error instanceof UnimissError) return `unimiss: ${error.message}`;
  const stack = error instanceof Error ? error.stack : String(error);
  return `unimiss: internal error. Please report it with the output of "unimiss engine doctor".\n${stack}`;
}
