import type { TrainingBatch } from './training.ts';

/**
 * The batches of a source. While the trainer works on one, the next is taken, and passed to `stage` when it is there: so its copy to
 * the device overlaps with the step. `waitMs` is what the trainer waits here.
 */
export async function* ahead<B extends TrainingBatch>(
  source: AsyncIterable<B>,
  stage: (batch: B) => void,
): AsyncGenerator<B, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const take = async () => {
    const taken = await iterator.next();
    if (!taken.done) stage(taken.value);
    return taken;
  };
  let next = take();
  try {
    for (;;) {
      const began = performance.now();
      const { value, done } = await next;
      if (done) return;
      const waitMs = performance.now() - began;
      next = take();
      next.catch(() => undefined); // its error is thrown where it is awaited
      yield { ...value, waitMs };
    }
  } finally {
    await next.catch(() => undefined); // the trainer ended before it, or has its error
    await iterator.return?.();
  }
}
