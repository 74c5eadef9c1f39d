/** A thread that measures one class of one case after another. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { messageOf } from '../../../protocol/errors.ts';
import { measureVoxels } from './classInCase.ts';
import type { ThreadAnswer, ThreadTask } from './threads.ts';

const port = parentPort as MessagePort;

port.on('message', ({ pair, counts, values, grid, options }: ThreadTask) => {
  try {
    port.postMessage({ measures: measureVoxels(pair, counts, values, grid, options) } satisfies ThreadAnswer);
  } catch (error) {
    port.postMessage({
      failed: error instanceof Error ? (error.stack ?? error.message) : messageOf(error),
    } satisfies ThreadAnswer);
  }
});
