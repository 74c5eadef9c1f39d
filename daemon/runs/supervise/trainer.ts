import { toErrorData } from '../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { type FromWorker, toWorkerSchema } from '../../../protocol/runs/trainerMessages.ts';
import { TrainingControl } from '../../train/control.ts';
import { RunFolder } from '../folder/runFolder.ts';
import type { RunListener } from '../records/runListener.ts';
import { Throttle } from './throttle.ts';

/** Trains a run in this process: `trainRun`. */
export type TrainRun = (
  run: RunFolder,
  control: TrainingControl,
  listener: RunListener,
) => Promise<'finished' | 'stopped'>;

/** Progress is told at most so often, ms. */
const INTERVAL = 100;

/**
 * The process that trains one run for the daemon (`unimiss worker FOLDER`): does what the daemon says over the channel of
 * node's child processes, and tells what happens. When the daemon is gone, however it went, the run stops at its next step with
 * a checkpoint (at once where no step was done yet), so that no process stays behind.
 * @returns exit code: 0 finished or stopped, 1 failed (the daemon was told why)
 * @throws UnimissError where nobody listens
 */
export async function runWorker(folder: string, train: TrainRun): Promise<0 | 1> {
  if (!process.send)
    throw new UnimissError('run', 'this command is for the daemon, which talks to it', {
      remedy: 'Use `unimiss resume RUN`.',
    });
  // Whoever reads what is written here may be gone: training goes on to its checkpoint.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const control = new TrainingControl((paused) => tell({ type: 'paused', paused }));
  let stepsDone = 0;
  process.on('disconnect', () => {
    control.stop();
    if (stepsDone === 0) process.exit(1);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => control.stop());
  process.on('message', (message) => obey(message, control));
  tell({ type: 'ready', pid: process.pid });

  const recorded = new Throttle(INTERVAL, () => tell({ type: 'recorded' }));
  const progress = new Throttle<FromWorker>(INTERVAL, (message) => tell(message));
  const listener: RunListener = {
    onStage: (stage) => tell({ type: 'stage', stage }),
    onRecord: () => recorded.call(),
    onProgress: (now) => {
      stepsDone++;
      progress.call({ type: 'progress', progress: now });
    },
  };
  let last: FromWorker;
  try {
    last = { type: 'ended', outcome: await train(await RunFolder.open(folder), control, listener) };
  } catch (error) {
    if (!(error instanceof UnimissError)) console.error(error);
    last = { type: 'failed', error: toErrorData(error) };
  }
  progress.flush();
  recorded.flush();
  await tell(last);
  return last.type === 'ended' ? 0 : 1;
}

function obey(raw: unknown, control: TrainingControl): void {
  const message = toWorkerSchema.safeParse(raw);
  if (!message.success) {
    console.error(`a message of the daemon that is not as declared: ${messageOf(message.error)}`);
    return;
  }
  switch (message.data.type) {
    case 'stop':
      control.stop();
      break;
    case 'pause':
      control.pause();
      break;
    case 'continue':
      control.resume();
      break;
    case 'ping':
      tell({ type: 'pong', id: message.data.id });
  }
}

/** Resolves when the message is on its way, or the daemon is gone: then nobody needs it. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, undefined, undefined, () => resolve());
    else resolve();
  });
}
