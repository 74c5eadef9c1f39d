/** The loader's worker thread: makes one batch after another and moves it to the trainer's thread. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { toErrorData } from '../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { BatchTask, ViewOptions } from './types.ts';
import { type SampleFile, ViewMaker } from './viewMaker.ts';
import type { WorkerAnswer } from './workerThread.ts';

const port = parentPort as MessagePort;
const { samples, options } = workerData as { samples: SampleFile[]; options: ViewOptions };
const maker = new ViewMaker(samples, options);

port.on('message', async (task: BatchTask) => {
  try {
    const made = await maker.make(task);
    port.postMessage({ made } satisfies WorkerAnswer, [made.views.buffer as ArrayBuffer]);
  } catch (error) {
    port.postMessage(failure(error));
  }
});

/** Errors lose their class on the way between threads; what makes them helpful is sent by its parts. */
function failure(error: unknown): WorkerAnswer {
  if (error instanceof UnimissError) return { failed: toErrorData(error) };
  const stack = error instanceof Error ? error.stack : undefined;
  return { failed: { code: 'internal', what: stack ?? messageOf(error) } };
}
