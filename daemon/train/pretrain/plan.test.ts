import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochOf } from '../plan.ts';
import { type PlanOptions, planRun } from './plan.ts';
import { isSettled } from './training.ts';

const base: PlanOptions = {
  epochs: 6,
  interval: 2,
  images: { '2D': 10, '3D': 7 },
  totalBatch: { '2D': 2, '3D': 3 },
  stepsPerEpoch: { '2D': null, '3D': null },
  balance: 'all',
  warmupEpochs: 1,
};

test('phases alternate every `interval` epochs and an epoch is every full batch', () => {
  const plan = planRun(base);
  expect(plan.epochs.map((e) => e.group)).toEqual(['2D', '2D', '3D', '3D', '2D', '2D']);
  expect(plan.epochs.map((e) => e.steps)).toEqual([5, 5, 2, 2, 5, 5]);
  expect(plan.epochs.map((e) => e.firstStep)).toEqual([0, 5, 10, 12, 14, 19]);
  expect(plan.steps).toBe(24);
});

test('with one modality there is one phase', () => {
  expect(planRun({ ...base, images: { '2D': 0, '3D': 7 } }).epochs.every((e) => e.group === '3D')).toBe(true);
});

test('equal balance takes as many images as the smaller set has', () => {
  expect(planRun({ ...base, balance: 'equal' }).epochs.map((e) => e.steps)).toEqual([3, 3, 2, 2, 3, 3]);
});

test('a set smaller than a batch still gives one step', () => {
  expect(planRun({ ...base, totalBatch: { '2D': 64, '3D': 64 } }).epochs.map((e) => e.steps)).toEqual([
    1, 1, 1, 1, 1, 1,
  ]);
});

test('warm-up is what was asked for, and at most a tenth of the run', () => {
  expect(planRun({ ...base, epochs: 200, warmupEpochs: 10 }).warmupSteps).toBe(2 * 5 + 2 * 2 + 2 * 5 + 2 * 2 + 2 * 5);
  expect(planRun({ ...base, epochs: 2, warmupEpochs: 10 }).warmupSteps).toBe(1);
});

test('outputs are judged behind the warm-up, but not in the first epoch of a phase', () => {
  const images = { '2D': 4, '3D': 4 };
  const options = { ...base, images, totalBatch: { '2D': 1, '3D': 1 }, interval: 1, epochs: 6, warmupEpochs: 0 };
  const plan = planRun(options);
  const settled = (of: typeof plan) => of.epochs.map((epoch) => isSettled(of, epoch));
  expect(settled(plan)).toEqual([false, false, true, true, true, true]);
  expect(settled({ ...plan, warmupSteps: 10 })).toEqual([false, false, false, true, true, true]);
});

test('no images at all is refused with a remedy', () => {
  expect(() => planRun({ ...base, images: { '2D': 0, '3D': 0 } })).toThrow(/no images.*\n.*data\.paths/);
});

test('every step belongs to exactly one epoch', () => {
  const limit = fc.option(fc.integer({ min: 1, max: 5 }));
  const options = fc.record({
    epochs: fc.integer({ min: 1, max: 12 }),
    interval: fc.integer({ min: 1, max: 4 }),
    images: fc.record({ '2D': fc.nat(20), '3D': fc.integer({ min: 1, max: 20 }) }),
    totalBatch: fc.record({ '2D': fc.integer({ min: 1, max: 9 }), '3D': fc.integer({ min: 1, max: 9 }) }),
    stepsPerEpoch: fc.record({ '2D': limit, '3D': limit }),
    balance: fc.constantFrom('all' as const, 'equal' as const),
    warmupEpochs: fc.double({ min: 0, max: 12, noNaN: true }),
  });
  fc.assert(
    fc.property(options, (o) => {
      const plan = planRun(o);
      const counted = new Map<number, number>();
      for (let s = 0; s < plan.steps; s++) {
        const { epoch } = epochOf(plan, s);
        counted.set(epoch, (counted.get(epoch) ?? 0) + 1);
      }
      expect([...counted.entries()]).toEqual(plan.epochs.map((e) => [e.epoch, e.steps]));
      expect(plan.warmupSteps).toBeLessThanOrEqual(Math.ceil(plan.steps / 10));
    }),
  );
});
