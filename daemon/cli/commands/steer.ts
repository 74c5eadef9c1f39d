import { Command, InvalidArgumentError } from 'commander';
import { runContinue, runKill, runMove, runPause, runRename, runStop } from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';
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
  return forRun(name, description).action(async (run: string, options: Options, self: Command) => {
    await tell(
      self,
      run,
      options,
      (client, ref) => client.call(type, { run: ref }),
      (info) =>
        name === 'stop' && info.activity === null && info.ending === null
          ? `${info.id} has left the queue; \`unimiss resume\` starts it.`
          : `${info.id} ${done}.`,
    );
  });
};

interface Options {
  runs?: string;
}

function forRun(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<run>', 'name or folder of the run')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)');
}

/** Sends a request about a run, and says what it did. */
async function tell(
  self: Command,
  run: string,
  options: Options,
  ask: (client: DaemonConnection, ref: string) => Promise<RunInfo>,
  text: (info: RunInfo) => string,
): Promise<void> {
  const reporter = Reporter.of(self);
  const root = askedRoot(options.runs);
  const info = await withDaemon((client) => ask(client, runReference(run, root)));
  reporter.record(info);
  reporter.line(text(info));
}

/** `unimiss move RUN PLACE` */
export function moveCommand(): Command {
  return forRun('move', 'Move a queued run to another place in the queue.')
    .argument('<place>', 'its new place; 1 is next', place)
    .action(async (run: string, to: number, options: Options, self: Command) => {
      await tell(
        self,
        run,
        options,
        (client, ref) => client.call(runMove, { run: ref, place: to }),
        ({ id, queue }) => (queue === null ? `${id} starts.` : `${id} has place ${queue} in the queue.`),
      );
    });
}

/** `unimiss rename RUN NAME` */
export function renameCommand(): Command {
  return forRun('rename', 'Give a run another name. Its folder stays where it is.')
    .argument('<name>', 'its new name')
    .action(async (run: string, name: string, options: Options, self: Command) => {
      await tell(
        self,
        run,
        options,
        (client, ref) => client.call(runRename, { run: ref, name }),
        (info) => `${info.id} is now called ${info.name}.`,
      );
    });
}

function place(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError('Expected a whole number from 1.');
}

/** `unimiss pause RUN` and similar commands for runs that the daemon trains. */
export const pauseCommand = command('pause');
export const continueCommand = command('continue');
export const stopCommand = command('stop');
export const killCommand = command('kill');
