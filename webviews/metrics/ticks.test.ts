import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logTicks, valueRange } from './ticks.ts';

test('the range leaves room, is never empty, and keeps what must be in sight', () => {
  expect(valueRange(2, 4, [], false)).toEqual([1.84, 4.16]);
  expect(valueRange(2, 4, [0], false)).toEqual([0, 4.32]);
  expect(valueRange(3, 3, [], false)).toEqual([2.7, 3.3]);
  expect(valueRange(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, [], false)).toEqual([0, 1]);
});

test('logarithmic ticks are few, inside, and at least two over a factor of two', () => {
  expect(logTicks(0.9, 1100)).toEqual([1, 10, 100, 1000]);
  expect(logTicks(2, 21)).toEqual([2, 5, 10, 20]);
  fc.assert(
    fc.property(
      fc.double({ min: 1e-9, max: 1e6, noNaN: true }),
      fc.double({ min: 2, max: 1e12, noNaN: true }),
      (min, factor) => {
        const ticks = logTicks(min, min * factor);
        expect(ticks.length).toBeLessThanOrEqual(12);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.every((t) => t >= min && t <= min * factor)).toBe(true);
      },
    ),
  );
});
