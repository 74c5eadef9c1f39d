import { availableParallelism, freemem } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { type ErrorData, fromErrorData } from '../../../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../../../protocol/errors.ts';
import { startThread } from '../../../../../protocol/threads/startThread.ts';
import { threadFile } from '../../../../files/threadFile.ts';
import type { LabelNames } from '../../../formats/storedVolume.ts';
import type { CaseMeasure, MeasureTask } from './caseMeasure.ts';

/** What a worker is asked: to measure a case, or for the values in a label map. */
export type MeasureRequest =
  | { readonly kind: 'case'; readonly task: MeasureTask }
  | { readonly kind: 'values'; readonly path: string };
export type MeasureResult =
  | { readonly kind: 'case'; readonly measure: CaseMeasure }
  | { readonly kind: 'values'; readonly values: readonly number[]; readonly names: LabelNames };
export type MeasureAnswer = { readonly done?: MeasureResult; readonly failed?: ErrorData };

export interface ThreadOptions {
  /** Default: one a core, as memory allows. */
  readonly workers?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What a thread may need for a large CT with its labels, bytes. */
const bytesPerThread = 2 ** 31;

/**
 * Does requests in worker threads, each of which takes the next one when it is free.
 * @returns results in the order of the requests; for one that failed, its error
 * @throws UnimissError 'interrupted' where `signal` is aborted; 'internal' where a thread dies, for example without memory
 */
export async function inThreads(
  requests: readonly MeasureRequest[],
  { workers, onProgress, signal }: ThreadOptions = {},
): Promise<(MeasureResult | UnimissError)[]> {
  const most = Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / bytesPerThread)));
  const count = Math.min(requests.length, workers ?? most);
  const results = new Array<MeasureResult | UnimissError>(requests.length);
  let [next, done] = [0, 0];
  const cancelled = () => new UnimissError('interrupted', 'reading the data set was cancelled');
  const threads: Worker[] = [];
  let abort = (): void => undefined;

  const thread = () =>
    new Promise<void>((resolve, reject) => {
      const worker = startThread(threadFile('measure-worker'));
      threads.push(worker);
      let at = -1;
      const ask = () => {
        at = next++;
        const request = requests[at];
        if (request) worker.postMessage(request);
        else resolve();
      };
      worker.on('message', ({ done: result, failed }: MeasureAnswer) => {
        const error = failed && fromErrorData(failed);
        if (error && error.code !== 'data') return reject(error);
        const one = error ?? result;
        if (one) results[at] = one;
        onProgress?.(++done, requests.length);
        ask();
      });
      const die = (why: string, cause?: unknown) =>
        reject(
          new UnimissError('internal', `a thread that reads images ended unexpectedly (${why})`, {
            remedy: 'Close other programs if memory ran out, and try again.',
            cause,
          }),
        );
      worker.on('error', (error) => die(messageOf(error), error));
      worker.on('exit', (code) => die(`exit code ${code}`));
      ask();
    });
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(cancelled());
  });
  aborted.catch(() => undefined); // it is waited for below, if at all
  signal?.addEventListener('abort', abort);
  try {
    if (signal?.aborted) throw cancelled();
    await Promise.race([Promise.all(Array.from({ length: count }, thread)), aborted]);
  } finally {
    signal?.removeEventListener('abort', abort);
    await Promise.all(threads.map((worker) => worker.terminate()));
  }
  return results;
}
