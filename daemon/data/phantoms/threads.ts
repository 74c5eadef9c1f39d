import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { startThread } from '../../../protocol/threads/startThread.ts';
import { findThreadFile } from '../../files/threadFile.ts';
import { drawPhantom, type PhantomFiles, type PhantomTask } from './draw.ts';
import type { PhantomAnswer } from './phantomWorker.ts';

/**
 * Draws phantoms, several at a time, and hands each to `use` as soon as it is there, in any order.
 * @param threads 0: in the caller's thread. More need the built thread beside the daemon's bundle or in `dist/`; where it is not (a
 * script that bundles this file alone), the caller's thread draws.
 */
export async function drawPhantoms(
  tasks: readonly PhantomTask[],
  threads: number,
  use: (task: PhantomTask, files: PhantomFiles) => Promise<void>,
): Promise<void> {
  const file = findThreadFile('phantom-worker');
  const queue = [...tasks];
  const work = async (draw: (task: PhantomTask) => Promise<PhantomFiles>) => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await use(task, await draw(task));
  };
  if (threads < 1 || file === undefined) return work(async (task) => drawPhantom(task));
  const workers = Array.from({ length: Math.min(threads, tasks.length) }, () => startThread(file));
  try {
    await Promise.all(workers.map((worker) => work((task) => ask(worker, task))));
  } finally {
    queue.length = 0;
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

async function ask(worker: Worker, task: PhantomTask): Promise<PhantomFiles> {
  const ended = new AbortController();
  const exited = once(worker, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new UnimissError('internal', `a thread that draws phantoms ended unexpectedly (exit code ${code})`);
  });
  // The race below has its error; without one, the abort must not end the process.
  exited.catch(() => undefined);
  worker.postMessage(task);
  try {
    const [{ files, failed }] = (await Promise.race([once(worker, 'message'), exited])) as [PhantomAnswer];
    if (files) return files;
    throw new UnimissError('internal', `drawing a phantom failed: ${failed}`);
  } catch (error) {
    if (error instanceof UnimissError) throw error;
    throw new UnimissError('internal', `drawing a phantom failed: ${messageOf(error)}`, { cause: error });
  } finally {
    ended.abort();
  }
}
