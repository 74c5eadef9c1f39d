import { expect, it } from 'vitest';
import { count, dateText, dateTextUtc, humanBytes, roughDuration, shortDateText } from './words.ts';

it('counts have commas and the right number', () => {
  expect(count(1, 'volume')).toBe('1 volume');
  expect(count(12_000, 'volume')).toBe('12,000 volumes');
  expect(count(0, 'series', 'series')).toBe('0 series');
});

it.each([
  [0.2, 'less than 1 s'],
  [40.4, '40 s'],
  [360, '6 min'],
  [5399, '90 min'],
  [5400, '1.5 h'],
  [7200, '2 h'],
  [90_000, '25 h'],
  [400_000, '5 days'],
  [1e9, '11,574 days'],
])('%s seconds are said as %s', (seconds, text) => {
  expect(roughDuration(seconds)).toBe(text);
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1.6 * 2 ** 30, '1.6 GiB'],
  [261 * 2 ** 20, '261 MiB'],
])('%s bytes are %s', (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text);
});

it('a time is written the same way everywhere; its year only where that is not the present one', () => {
  const time = new Date(2026, 10, 25, 16, 7);
  expect(dateText(time.getTime(), new Date(2026, 0, 1))).toBe('25 Nov, 16:07');
  expect(dateText(time.toISOString(), new Date(2027, 0, 1))).toBe('25 Nov 2026, 16:07');
  expect(shortDateText(time.getTime(), new Date(2026, 10, 25, 23, 59))).toBe('16:07');
  expect(shortDateText(time.getTime(), new Date(2026, 10, 26, 0, 1))).toBe('25 Nov');
  expect(dateTextUtc('2026-09-05T06:05:59.999Z')).toBe('5 Sep 2026, 06:05 UTC');
});
