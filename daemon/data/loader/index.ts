import { UnimissError } from '../../../protocol/errors.ts';
import { GroupedNotices } from './groupedNotices.ts';
import { openMakers } from './openMakers.ts';
import { batchCount, epochSlots, followedIn } from './order.ts';
import { BatchPool } from './pool.ts';
import { BatchQueue } from './queue.ts';
import type { BatchRange, BatchTask, Loader, LoaderOptions, MadeBatch, ViewBatch, ViewOptions } from './types.ts';

export type { Loader, LoaderOptions, ViewBatch } from './types.ts';

/** Batches per worker that are being made or wait: one ready while the trainer uses another, one in the making. */
const aheadPerWorker = 2;

/** Memory for decoded images, MiB: in each worker, and in all workers together. */
const [cacheMiBEach, cacheMiBAll] = [64, 512];

/**
 * Starts the loader of one phase: threads that read images and make their views ahead of the trainer. The batches of an epoch do
 * not depend on the number of workers, or on the batch at which one starts.
 * @throws UnimissError if the data set has no images of this phase, or the worker is not built
 */
export function openLoader(options: LoaderOptions): Loader {
  const { dataset, phase, seed, batch, workers, views2D, views3D, resample } = options;
  const cacheMiB = options.cacheMiB ?? Math.min(cacheMiBEach, cacheMiBAll / Math.max(1, workers));
  const { onDigest, hasDigest = () => false } = options;
  const all = dataset.samples(phase);
  const samples = all.map((sample) => {
    const { id, path } = sample;
    return { id, path, digest: onDigest !== undefined && !hasDigest(sample) };
  });
  if (samples.length === 0) throw new UnimissError('data', `there are no ${phase} images`, { place: dataset.root });
  const viewOptions: ViewOptions = { seed, phase, views2D, views3D, resample, cacheMiB };
  const pool = new BatchPool<BatchTask, MadeBatch>(
    openMakers(workers, { kind: 'views', samples, options: viewOptions }),
  );
  const told = new Set<string>();
  const undigested = new Map(all.filter((_, i) => samples[i]?.digest).map((sample) => [sample.id, sample]));
  const kinds = new GroupedNotices((...notice) => options.onNotice?.(...notice));

  /** Passes on the findings from making a batch, in the order of the batches; throws if too much is broken. */
  const report = ({ broken, notices, digests }: MadeBatch) => {
    for (const image of broken) {
      if (told.has(image.id)) continue;
      told.add(image.id);
      // Reported before the check of the share, so that the log includes the image that stops the run.
      options.onBroken?.(image);
      dataset.reportBroken(image);
    }
    for (const { id, kind, message } of notices) {
      if ((kind !== 'cache' && options.told?.has(kind)) || told.has(`${id} ${kind}`)) continue;
      told.add(`${id} ${kind}`);
      kinds.add(kind, `${id} ${message}`, id);
    }
    for (const { id, digest } of digests) {
      const sample = undigested.get(id);
      if (sample) onDigest?.(sample, digest); // from the first worker that decoded it
      undigested.delete(id);
    }
  };

  const ahead = workers * aheadPerWorker;
  const begin = (epoch: number, range: BatchRange) =>
    new BatchQueue(
      pool,
      epoch,
      epochSlots(samples.length, batch, seed, epoch, phase).map((slots) => ({ epoch, slots })),
      range,
    );
  let prepared: BatchQueue<BatchTask, MadeBatch> | undefined;

  async function* batches(epoch: number, range: BatchRange): AsyncGenerator<ViewBatch> {
    const fits = prepared?.epoch === epoch && prepared.range.from === range.from && prepared.range.to === range.to;
    if (!fits) prepared?.drop();
    const queue = fits ? prepared! : begin(epoch, range);
    prepared = undefined;
    try {
      for (let index = queue.next; index < queue.end; index++) {
        const began = performance.now();
        queue.ask(Math.max(1, ahead));
        const made = await queue.take();
        queue.ask(ahead);
        report(made);
        const { views, ids, broken } = made;
        yield { phase, epoch, index, images: batch, views, ids, waitMs: performance.now() - began, broken };
      }
      kinds.summarize();
    } finally {
      queue.drop();
    }
  }

  return {
    batches: batchCount(samples.length, batch),
    epoch: (epoch, range = {}) => batches(epoch, range),
    followed: (epoch, count) => followedIn(epochSlots(samples.length, batch, seed, epoch, phase).slice(0, count)),
    prepare(epoch, range = {}) {
      prepared?.drop();
      prepared = begin(epoch, range);
      prepared.ask(ahead);
    },
    close: () => pool.close(),
  };
}
