import { UnimissError } from '../../../protocol/errors.ts';
import { batchCount, epochSlots } from './order.ts';
import { BatchPool } from './pool.ts';
import type { Loader, LoaderOptions, MadeBatch, Slot, ViewBatch, ViewOptions } from './types.ts';
import { ViewMaker } from './viewMaker.ts';
import { type BatchMaker, WorkerThread } from './workerThread.ts';

export type { Loader, LoaderOptions, ViewBatch } from './types.ts';

/** Batches that are made or wait to be taken, for each worker: one being trained on, one ready, one in the making. */
const aheadPerWorker = 2;

/** A data set of ten thousand volumes without a spacing is worth some lines in the log, not ten thousand. */
const noticesOfAKind = 5;
/** Decoded images that are kept: MiB in each worker, and in all workers together. */
const [cacheMiBEach, cacheMiBAll] = [64, 512];

/**
 * Starts the loader of one phase: threads that read images and make their views ahead of the trainer. The batches of an epoch
 * are the same whatever the number of workers, and from whichever batch one starts.
 * @throws UnimissError where the data set has no images of this phase, or the worker is not built
 */
export function openLoader(options: LoaderOptions): Loader {
  const { dataset, phase, seed, batch, workers, views2D, views3D, resample } = options;
  const cacheMiB = options.cacheMiB ?? Math.min(cacheMiBEach, cacheMiBAll / Math.max(1, workers));
  const samples = dataset.samples(phase).map(({ id, path }) => ({ id, path }));
  if (samples.length === 0) throw new UnimissError('data', `there are no ${phase} images`, { place: dataset.root });
  const viewOptions: ViewOptions = { seed, phase, views2D, views3D, resample, cacheMiB };
  const makers: BatchMaker[] =
    workers === 0
      ? [inThisThread(new ViewMaker(samples, viewOptions))]
      : Array.from({ length: workers }, () => new WorkerThread(samples, viewOptions));
  const pool = new BatchPool(makers);
  const told = new Set<string>();
  const kinds = new Map<string, number>();

  /** Passes on what was found when a batch was made; throws where too much is broken. In the order of the batches. */
  const report = ({ broken, notices }: MadeBatch) => {
    for (const image of broken) {
      if (told.has(image.id)) continue;
      told.add(image.id);
      // Told before the share is checked: the image that stops the run is in the log too.
      options.onBroken?.(image);
      dataset.reportBroken(image);
    }
    for (const { id, message } of notices) {
      if (told.has(`${id} ${message}`)) continue;
      told.add(`${id} ${message}`);
      // Notices of one kind differ in their numbers only.
      const kind = message.replace(/\d+/g, '');
      const count = (kinds.get(kind) ?? 0) + 1;
      kinds.set(kind, count);
      if (count <= noticesOfAKind) options.onNotice?.(`${id} ${message}`);
      if (count === noticesOfAKind) options.onNotice?.('… further volumes of which the same is true are not listed');
    }
  };

  const ahead = workers * aheadPerWorker;
  const begin = (epoch: number, startBatch: number) =>
    new EpochQueue(pool, epoch, epochSlots(samples.length, batch, seed, epoch, phase), startBatch);
  let prepared: EpochQueue | undefined;

  async function* batches(epoch: number, startBatch: number): AsyncGenerator<ViewBatch> {
    const fits = prepared?.epoch === epoch && prepared.next === startBatch;
    if (!fits) prepared?.end();
    const queue = fits ? prepared! : begin(epoch, startBatch);
    prepared = undefined;
    try {
      for (let index = startBatch; index < queue.length; index++) {
        const began = performance.now();
        queue.ask(Math.max(1, ahead));
        const made = await queue.take();
        queue.ask(ahead);
        report(made);
        const { views, ids, broken } = made;
        yield { phase, epoch, index, size: batch, views, ids, waitMs: performance.now() - began, broken };
      }
    } finally {
      queue.end();
    }
  }

  return {
    batches: batchCount(samples.length, batch),
    epoch: (epoch, startBatch = 0) => batches(epoch, startBatch),
    prepare(epoch, startBatch = 0) {
      prepared?.end();
      prepared = begin(epoch, startBatch);
      prepared.ask(ahead);
    },
    close: () => pool.close(),
  };
}

/** The batches of one epoch that were asked for and not taken yet, in order. */
class EpochQueue {
  private readonly run;
  private readonly pending: Promise<MadeBatch>[] = [];
  private asked: number;

  constructor(
    pool: BatchPool,
    readonly epoch: number,
    private readonly slots: readonly Slot[][],
    startBatch: number,
  ) {
    this.run = pool.begin();
    this.asked = startBatch;
  }

  get length(): number {
    return this.slots.length;
  }

  /** Number of the batch that `take` gives next. */
  get next(): number {
    return this.asked - this.pending.length;
  }

  /** Asks for further batches until so many are under way. */
  ask(count: number): void {
    while (this.pending.length < count && this.asked < this.slots.length) {
      this.pending.push(this.run.make({ epoch: this.epoch, slots: this.slots[this.asked++]! }));
    }
  }

  take(): Promise<MadeBatch> {
    return this.pending.shift()!;
  }

  end(): void {
    this.run.end();
  }
}

function inThisThread(maker: ViewMaker): BatchMaker {
  return { make: (task) => maker.make(task), close: async () => undefined };
}
