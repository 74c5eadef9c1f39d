import { expect, it } from 'vitest';
import { histogram, moments } from './intensities.ts';

it('counts shares of equal bins, the ends including what lies beyond', () => {
  const shares = histogram([-5, 0.5, 0.5, 31.5, 90], [0, 32]);
  expect([shares.length, shares[0], shares[31]]).toEqual([32, expect.closeTo(0.6), expect.closeTo(0.4)]);
});

it('gives moments and percentiles', () => {
  const [mean, deviation, skewness, kurtosis, ...percentiles] = moments([1, 1, 1, 5]);
  expect([mean, deviation]).toEqual([2, expect.closeTo(Math.sqrt(3))]);
  expect(skewness).toBeCloseTo(24 / 4 / 3 ** 1.5); // mean cube (−1, −1, −1, 27)
  expect(kurtosis).toBeCloseTo(84 / 4 / 9);
  expect(percentiles).toHaveLength(9);
  expect(percentiles[4]).toBe(1);
});

it('does not depend on the order of the values', () => {
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  expect(moments(values.toReversed())).toEqual(moments(values));
});
