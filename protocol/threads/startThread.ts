import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread whose end cannot end the process.
 *
 * Before version 24, Node takes a thread's isolate from its platform before it disposes of the isolate (`~WorkerThreadData`,
 * src/node_worker.cc). If V8 still optimises a function of that thread in the background and the allocation begins a collection, V8
 * asks the platform for an isolate that is no longer known, and Node aborts the whole process (`node_platform.cc`,
 * `ForIsolate`). A thread reads this flag when it starts, so that it optimises in itself; threads that run already keep their way.
 * @param file the thread's bundle
 */
export function startThread(file: string, options?: WorkerOptions): Worker {
  if (Number(process.versions.node.split('.')[0]) < 24) setFlagsFromString('--no-concurrent-recompilation');
  return new Worker(file, options);
}
