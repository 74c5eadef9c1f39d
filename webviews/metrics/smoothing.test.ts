import fc from 'fast-check';
import { expect, test } from 'vitest';
import { smooth } from './smoothing.ts';

test('by hand with weight ½: debiased, so that it starts at the first value', () => {
  const out = smooth(Float64Array.of(4, 8, 2), 0.5);
  // sums 2, 5, 3.5; masses ½, ¾, ⅞.
  expect([...out]).toEqual([4, 5 / 0.75, 3.5 / 0.875]);
});

test('weight 0 is the values themselves; any average stays within them', () => {
  const values = Float64Array.of(1, 5, 2);
  expect(smooth(values, 0)).toBe(values);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (v, weight) => {
        const out = smooth(Float64Array.from(v), weight);
        expect(Math.max(...out)).toBeLessThanOrEqual(Math.max(...v) + 1e-6);
        expect(Math.min(...out)).toBeGreaterThanOrEqual(Math.min(...v) - 1e-6);
      },
    ),
  );
});
