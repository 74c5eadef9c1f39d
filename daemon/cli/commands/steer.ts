import { Command } from 'commander';
import { runContinue, runKill, runPause, runStop } from '../../../protocol/runs/messages.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, runReference, withDaemon } from '../viaDaemon/connection.ts';

const commands = {
  pause: [
    runPause,
    'Pause a run after its current step. It keeps its memory.',
    'pauses after its current step; `unimiss continue` continues it',
  ],
  continue: [runContinue, 'Continue a paused run.', 'continues'],
  stop: [
    runStop,
    'Stop a run after its current step, with a checkpoint. Removes a queued run from the queue.',
    'stops after its current step; `unimiss resume` continues it',
  ],
  kill: [
    runKill,
    'Kill the process of a run now. You can resume the run from its last checkpoint.',
    'was killed; `unimiss resume` continues from its last checkpoint',
  ],
} as const;

const command = (name: keyof typeof commands) => (): Command => {
  const [type, description, done] = commands[name];
  return new Command(name)
    .description(description)
    .argument('<run>', 'name or folder of the run')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .action(async (run: string, options: { runs?: string }, self: Command) => {
      const reporter = Reporter.of(self);
      const root = askedRoot(options.runs);
      const info = await withDaemon((client) => client.call(type, { run: runReference(run, root) }));
      reporter.record(info);
      reporter.line(`${info.id} ${done}.`);
    });
};

/** `unimiss pause RUN` and similar commands for runs that the daemon trains. */
export const pauseCommand = command('pause');
export const continueCommand = command('continue');
export const stopCommand = command('stop');
export const killCommand = command('kill');
