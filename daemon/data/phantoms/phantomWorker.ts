/** A thread that draws one phantom after another. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { messageOf } from '../../../protocol/errors.ts';
import { drawPhantom, type PhantomFiles, type PhantomTask } from './draw.ts';

export type PhantomAnswer = { files: PhantomFiles; failed?: undefined } | { failed: string; files?: undefined };

const port = parentPort as MessagePort;

port.on('message', (task: PhantomTask) => {
  try {
    port.postMessage({ files: drawPhantom(task) } satisfies PhantomAnswer);
  } catch (error) {
    const failed = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    port.postMessage({ failed } satisfies PhantomAnswer);
  }
});
