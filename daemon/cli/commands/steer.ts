import { Command } from 'commander';
import { runContinue, runKill, runPause, runStop } from '../../../protocol/runs/messages.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, runReference, withDaemon } from '../viaDaemon/connection.ts';

const commands = {
  pause: [
    runPause,
    'Hold a run after the step that it is at; its memory stays taken.',
    'is held after its step; `unimiss continue` lets it go on',
  ],
  continue: [runContinue, 'Let a paused run go on.', 'goes on'],
  stop: [
    runStop,
    'Stop a run at its next step, with a checkpoint; take it out of the queue.',
    'stops at its next step; `unimiss resume` goes on',
  ],
  kill: [
    runKill,
    'End the process of a run at once; it can be resumed from its last checkpoint.',
    'was ended; `unimiss resume` goes on from its last checkpoint',
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

/** `unimiss pause RUN` and its like: what can be done to a run that the daemon trains. */
export const pauseCommand = command('pause');
export const continueCommand = command('continue');
export const stopCommand = command('stop');
export const killCommand = command('kill');
