import type { ConfigKind } from '../../../protocol/config/index.ts';
import { toErrorData } from '../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { controlVersion, type FromTrainer } from '../../../protocol/runs/trainerMessages.ts';
import { TrainingControl } from '../../train/control.ts';
import type { Holder } from '../folder/lock.ts';
import { RunFolder } from '../folder/runFolder.ts';
import type { RunListener } from '../records/runListener.ts';
import { ControlServer } from './controlServer.ts';
import { Throttle } from './throttle.ts';
import { readTrainerPlace, removeTrainerPlace } from './trainerPlace.ts';

/** Trains a run in this process; made by `trainerOf`. */
export type TrainRun = (
  run: RunFolder,
  control: TrainingControl,
  listener: RunListener,
  holder: Holder,
) => Promise<'finished' | 'stopped'>;

/** Shortest time between two progress messages, ms. */
const INTERVAL = 100;

/**
 * The process that trains one run for a daemon (`unimiss worker FOLDER --place FILE`). It obeys daemons over its socket, and
 * reports to them. It does not depend on them, so a run outlives its daemon, however that ends.
 * @param where.placeFile file that `makeTrainerPlace` wrote
 * @param where.kinds kinds of configurations that it can read; default: the product's
 * @returns exit code: 0 finished or stopped, 1 failed (reported to daemons and on standard error)
 */
export async function runWorker(
  folder: string,
  train: TrainRun,
  { placeFile, kinds }: { placeFile: string; kinds?: readonly ConfigKind[] },
): Promise<0 | 1> {
  // The disk with the output file may be full: training goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const place = await readTrainerPlace(placeFile);
  const control = new TrainingControl(
    (paused) => server.tell({ type: 'paused', paused }),
    () => server.tell({ type: 'stopping' }),
  );
  const server = await ControlServer.listen(place.socket, folder, (request, answer) => {
    if (request.type === 'stop') control.stop({ by: 'client' });
    else if (request.type === 'pause') control.pause();
    else if (request.type === 'continue') control.resume();
    else answer({ type: 'pong', id: request.id });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => control.stop({ by: 'signal', signal }));

  const recorded = new Throttle(INTERVAL, () => server.tell({ type: 'recorded' }));
  const progress = new Throttle<FromTrainer>(INTERVAL, (message) => server.tell(message));
  const listener: RunListener = {
    onStage: (stage) => server.tell({ type: 'stage', stage }),
    onRecord: () => recorded.call(),
    onProgress: (now) => progress.call({ type: 'progress', progress: now }),
  };
  const holder: Holder = {
    trainsFor: 'daemon',
    control: { version: controlVersion, socket: place.socket },
  };
  let last: FromTrainer;
  try {
    last = { type: 'ended', outcome: await train(await RunFolder.open(folder, kinds), control, listener, holder) };
  } catch (error) {
    process.stderr.write(
      `${error instanceof UnimissError || !(error instanceof Error) ? messageOf(error) : error.stack}\n`,
    );
    last = { type: 'failed', error: toErrorData(error) };
  }
  progress.flush();
  recorded.flush();
  await server.close(last);
  await removeTrainerPlace(place);
  return last.type === 'ended' ? 0 : 1;
}
