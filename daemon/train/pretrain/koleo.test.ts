import { beforeAll, expect, test } from 'vitest';
import { testEngine } from '../../../test/engine.ts';
import { Random } from '../../data/random.ts';
import { constant, valueAndGrads } from '../../engine/ops/index.ts';
import { koleo } from './koleo.ts';

beforeAll(async () => {
  await testEngine();
});

/** The regulariser in plain JavaScript. @param x [B, K] */
function plain(x: readonly (readonly number[])[]): number {
  const distances = x.map((row, i) =>
    Math.min(...x.flatMap((other, j) => (i === j ? [] : Math.hypot(...row.map((value, k) => value - other[k]!))))),
  );
  return -distances.reduce((sum, distance) => sum + Math.log(distance), 0) / x.length;
}

function unitVectors(count: number, length: number, seed: number): number[][] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const row = Array.from({ length }, () => random.normal());
    return row.map((value) => value / Math.hypot(...row));
  });
}

const flat = (x: readonly (readonly number[])[]) => constant(Float32Array.from(x.flat()), [x.length, x[0]!.length]);

test('two opposite vectors have −log 2', async () => {
  const value = koleo(
    flat([
      [1, 0],
      [-1, 0],
    ]),
  );
  expect((await value.data())[0]).toBeCloseTo(-Math.log(2), 5);
});

test('value and gradient along the sphere equal those of plain arithmetic', async () => {
  const x = unitVectors(6, 4, 2);
  const { value, grads } = valueAndGrads(koleo)([flat(x)]);
  expect((await value.data())[0]).toBeCloseTo(plain(x), 4);
  const gradient = await grads[0]!.data();
  const random = new Random(9);
  for (let trial = 0; trial < 5; trial++) {
    // A small turn of each row stays on the sphere to first order.
    const turns = x.map((row) => {
      const step = row.map(() => random.normal());
      const along = step.reduce((sum, value, k) => sum + value * row[k]!, 0);
      return step.map((value, k) => value - along * row[k]!);
    });
    const moved = (size: number) => plain(x.map((row, i) => row.map((value, k) => value + size * turns[i]![k]!)));
    const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    const ours = turns.flat().reduce((sum, turn, i) => sum + turn * gradient[i]!, 0);
    expect(ours).toBeCloseTo(slope, 3);
  }
});

test('equal rows give a large finite value and gradient', async () => {
  const { value, grads } = valueAndGrads(koleo)([
    flat([
      [1, 0],
      [1, 0],
    ]),
  ]);
  const [loss] = await value.data();
  expect(loss).toBeGreaterThan(5);
  expect(Number.isFinite(loss)).toBe(true);
  for (const slope of await grads[0]!.data()) expect(Number.isFinite(slope)).toBe(true);
});
