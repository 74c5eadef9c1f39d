import { UnimissError } from '../../../protocol/errors.ts';
import { batchCount, epochSlots } from './order.ts';
import { BatchPool } from './pool.ts';
import type { Loader, LoaderOptions, MadeBatch, ViewBatch, ViewOptions } from './types.ts';
import { ViewMaker } from './viewMaker.ts';
import { type BatchMaker, WorkerThread } from './workerThread.ts';

export type { Loader, LoaderOptions, ViewBatch } from './types.ts';

/** Batches that are made or wait to be taken, for each worker: one being trained on, one ready, one in the making. */
const aheadPerWorker = 2;

/**
 * Starts the loader of one phase: threads that read images and make their views ahead of the trainer. The batches of an epoch
 * are the same whatever the number of workers, and from whichever batch one starts.
 * @throws UnimissError where the data set has no images of this phase, or the worker is not built
 */
export function openLoader(options: LoaderOptions): Loader {
  const { dataset, phase, seed, batch, workers, views2D, views3D, resample, cacheMiB } = options;
  const samples = dataset.samples(phase).map(({ id, path }) => ({ id, path }));
  if (samples.length === 0) throw new UnimissError('data', `there are no ${phase} images`, { place: dataset.root });
  const viewOptions: ViewOptions = { seed, phase, views2D, views3D, resample, cacheMiB };
  const makers: BatchMaker[] =
    workers === 0
      ? [inThisThread(new ViewMaker(samples, viewOptions))]
      : Array.from({ length: workers }, () => new WorkerThread(samples, viewOptions));
  const pool = new BatchPool(makers);
  const told = new Set<string>();

  /** Passes on what was found when a batch was made; throws where too much is broken. In the order of the batches. */
  const report = ({ broken, notices }: MadeBatch) => {
    for (const image of broken) {
      if (told.has(image.id)) continue;
      told.add(image.id);
      // Told before the share is checked: the image that stops the run is in the log too.
      options.onBroken?.(image);
      dataset.reportBroken(image);
    }
    for (const notice of notices) {
      if (told.has(notice)) continue;
      told.add(notice);
      options.onNotice?.(notice);
    }
  };

  async function* batches(epoch: number, startBatch: number): AsyncGenerator<ViewBatch> {
    const slots = epochSlots(samples.length, batch, seed, epoch, phase);
    const run = pool.begin();
    let asked = startBatch;
    const pending: Promise<MadeBatch>[] = [];
    const askAhead = (count: number) => {
      while (pending.length < count && asked < slots.length) pending.push(run.make({ epoch, slots: slots[asked++]! }));
    };
    const ahead = workers === 0 ? 0 : workers * aheadPerWorker;
    try {
      for (let index = startBatch; index < slots.length; index++) {
        const began = performance.now();
        askAhead(Math.max(1, ahead));
        const made = await pending.shift()!;
        askAhead(ahead);
        report(made);
        const { views, ids, broken } = made;
        yield { phase, epoch, index, size: batch, views, ids, waitMs: performance.now() - began, broken };
      }
    } finally {
      run.end();
    }
  }

  return {
    batches: batchCount(samples.length, batch),
    epoch: (epoch, startBatch = 0) => batches(epoch, startBatch),
    close: () => pool.close(),
  };
}

function inThisThread(maker: ViewMaker): BatchMaker {
  return { make: (task) => maker.make(task), close: async () => undefined };
}
