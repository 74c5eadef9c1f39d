import { expect, test } from 'vitest';
import { formatDuration, formatDurationTick, formatEstimate, formatNumber, formatTicks, titleOf } from './format.ts';

test.each([
  [5.23456, '5.235'],
  [0, '0'],
  [-2.5, '−2.5'],
  [-3e10, '−3e10'],
  [2e-10, '2e−10'],
  [1234567, '1,234,567'],
  [0.000104, '1.04e−4'],
  [1e-6, '1e−6'],
  [Number.NaN, '–'],
  [undefined, '–'],
])('%s is shown as %s', (value, text) => expect(formatNumber(value)).toBe(text));

test.each([
  [3.4, '3 s'],
  [59.7, '1 min 00 s'],
  [250, '4 min 10 s'],
  [7500, '2 h 05 min'],
  [3 * 86_400 + 4 * 3600, '3 d 4 h'],
  [Number.NaN, '–'],
])('%s seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

test('ticks are equally precise', () => {
  expect(formatTicks([0, 0.25, 0.5])).toEqual(['0.00', '0.25', '0.50']);
  expect(formatTicks([-10, 0, 10])).toEqual(['−10', '0', '10']);
  expect(formatTicks([0, 50_000, 100_000])).toEqual(['0', '50k', '100k']);
  expect(formatTicks([0.996, 0.998, 1])).toEqual(['0.996', '0.998', '1.000']);
  expect(formatTicks([0, 1e-4, 2e-4])).toEqual(['0', '1e−4', '2e−4']);
  expect(formatDurationTick(5400, 1800)).toBe('1:30 h');
});

test('a series that is not known gets a heading', () => {
  expect(titleOf('term/cross3D')).toBe('Cross 3D');
  expect(titleOf('queueLength')).toBe('Queue length');
});

test('estimates have no more precision than they deserve', () => {
  const texts = [2, 42, 118, 3198, 15_060, 40_000, 200_000].map(formatEstimate);
  expect(texts).toEqual(['≈ 5 s', '≈ 40 s', '≈ 2 min', '≈ 53 min', '≈ 4 h 10 min', '≈ 11 h', '≈ 2 d']);
  expect(formatEstimate(Number.NaN)).toBe('–');
});
