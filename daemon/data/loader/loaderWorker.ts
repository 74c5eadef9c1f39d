/** The loader's worker thread: makes one batch after another and moves it to the trainer's thread. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { toErrorData } from '../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { type MakerSetup, makerOf } from './makers.ts';
import type { WorkerAnswer } from './workerThread.ts';

const port = parentPort as MessagePort;
const maker = makerOf(workerData as MakerSetup) as { make(task: unknown): Promise<object> };

port.on('message', async (task: unknown) => {
  try {
    const made = await maker.make(task);
    port.postMessage({ made } satisfies WorkerAnswer<object>, buffersOf(made));
  } catch (error) {
    port.postMessage(failure(error));
  }
});

/** Memory that is moved instead of copied: that of the large arrays. */
function buffersOf(made: object): ArrayBuffer[] {
  return Object.values(made).flatMap((value: unknown) =>
    ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );
}

/** Errors lose their class between threads, so their helpful parts are sent separately. */
function failure(error: unknown): WorkerAnswer<never> {
  if (error instanceof UnimissError) return { failed: toErrorData(error) };
  const stack = error instanceof Error ? error.stack : undefined;
  return { failed: { code: 'internal', what: stack ?? messageOf(error) } };
}
