import { Random } from '../random.ts';
import type { Followed, Slot } from './types.ts';

/** Batches of an epoch: all full ones, at least one. */
export function batchCount(samples: number, batch: number): number {
  return Math.max(1, Math.floor(samples / batch));
}

/**
 * The samples of an epoch's batches, in order: a shuffle that depends on seed, epoch and phase. Drops the last incomplete batch
 * (other samples in each epoch). If there are fewer samples than a batch takes, they repeat, with different views each time.
 */
export function epochSlots(samples: number, batch: number, seed: number, epoch: number, phase: string): Slot[][] {
  const order = Array.from({ length: samples }, (_, i) => i);
  new Random(seed, epoch, phase, 'order').shuffle(order);
  return Array.from({ length: batchCount(samples, batch) }, (_, b) =>
    Array.from({ length: batch }, (_, i) => {
      const place = b * batch + i;
      return { sample: order[place % samples]!, repeat: Math.floor(place / samples) };
    }),
  );
}

/** Where an epoch has the image with the lowest number, which is nearly always the same one: the images of two epochs can be compared. */
export function followedIn(slots: readonly (readonly Slot[])[]): Followed {
  let found: Followed & { sample: number } = { batch: 0, place: 0, sample: Number.POSITIVE_INFINITY };
  for (const [batch, ofBatch] of slots.entries())
    for (const [place, { sample }] of ofBatch.entries()) if (sample < found.sample) found = { batch, place, sample };
  return { batch: found.batch, place: found.place };
}
