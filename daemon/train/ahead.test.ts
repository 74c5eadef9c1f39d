import { expect, test } from 'vitest';
import { ahead } from './ahead.ts';

const batch = (images: number) => ({ images, waitMs: 1e9 });

/** Batches 1 to `count`, each there when `come` says so. */
async function* source(count: number, told: string[], come: (n: number) => Promise<void> = async () => undefined) {
  try {
    for (let n = 1; n <= count; n++) {
      await come(n);
      yield batch(n);
    }
  } finally {
    told.push('closed');
  }
}

test('the next batch is staged while the trainer works on one', async () => {
  const told: string[] = [];
  const staged = new Map<number, () => void>();
  const stagedFirst = (n: number) => new Promise<void>((done) => staged.set(n, done));
  const waits = new Map([2, 3].map((n) => [n, stagedFirst(n)]));
  for await (const { images, waitMs } of ahead(source(3, told), (b) => {
    told.push(`staged ${b.images}`);
    staged.get(b.images)?.();
  })) {
    await waits.get(images + 1); // would never end if the next were taken after this one
    told.push(`did ${images}`);
    expect(waitMs).toBeLessThan(1e6);
  }
  expect(told.filter((line) => line !== 'closed')).toEqual([
    'staged 1',
    'staged 2',
    'did 1',
    'staged 3',
    'did 2',
    'did 3',
  ]);
  expect(told).toContain('closed');
});

test('a trainer that stops in between closes the source', async () => {
  const told: string[] = [];
  for await (const { images } of ahead(source(5, told), () => undefined)) if (images === 2) break;
  expect(told).toEqual(['closed']);
});

test('an error of the source reaches the trainer with the batch that it is about', async () => {
  const done: number[] = [];
  const come = async (n: number) => {
    if (n === 3) throw new Error('no image left');
  };
  const train = async () => {
    for await (const { images } of ahead(source(5, [], come), () => undefined)) done.push(images);
  };
  await expect(train()).rejects.toThrow('no image left');
  expect(done).toEqual([1, 2]);
});
