import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunRecord } from '../../../protocol/records/records.ts';
import { computeOf, epochsFor, secondsPerStep } from './compute.ts';

const steps = (group: '2D' | '3D', ms: readonly number[]) =>
  ms.map((stepMs, step): RunRecord => {
    const place = { kind: 'step', step, epoch: 0, group, loss: 1, values: {} } as const;
    return { ...place, stepMs, waitMs: 10, rssMiB: 1, time: '2026-01-01T00:00:00.000Z' };
  });

test('the time of a step is the median with the wait, without the first steps of a phase', () => {
  const records = [...steps('2D', [9000, 90, 90, 30, 50, 40]), ...steps('3D', [9000, 500])];
  expect(secondsPerStep(records)).toEqual({ '2D': 0.05, '3D': 0.51 });
});

test('epochs come as near to a budget as whole epochs can', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.double({ min: 0.05, max: 9, noNaN: true }),
      fc.double({ min: 0.05, max: 9, noNaN: true }),
      (budget, first, second) => {
        // Phases that alternate, as 2D and 3D do.
        const timeOf = (epochs: number) => Math.ceil(epochs / 2) * first + Math.floor(epochs / 2) * second;
        const epochs = epochsFor(budget, timeOf);
        const off = (one: number) => Math.abs(timeOf(one) - budget);
        expect(off(epochs)).toBeLessThanOrEqual(off(epochs + 1) + 1e-9);
        if (epochs > 1) expect(off(epochs)).toBeLessThanOrEqual(off(epochs - 1) + 1e-9);
      },
    ),
  );
});

test('an arm gets the summed time of others, which train as long as they say', () => {
  const arm = (epochs: number, second: number) => {
    return { secondsPerStep: { '3D': second }, epochs, timeOf: (n: number) => n * second };
  };
  const arms = new Map([
    ['joint', arm(10, 3)],
    ['only2D', arm(20, 0.5)],
    ['only3D', arm(20, 1)],
  ]);
  expect(computeOf({ joint: ['only2D', 'only3D'] }, arms)).toMatchObject({
    joint: { epochs: 10, seconds: 30, matches: ['only2D', 'only3D'] },
    only2D: { epochs: 20, seconds: 10, matches: null },
    only3D: { epochs: 20, seconds: 20, matches: null },
  });
  expect(computeOf({ only3D: ['joint'] }, arms).only3D).toMatchObject({ epochs: 30, seconds: 30 });
});
