import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricsTable } from '../../protocol/metrics.ts';
import { downsample } from './downsample.ts';

const table = (values: (number | null)[], phases?: number[]): MetricsTable => ({
  columns: { step: values.map((_, i) => i), loss: values, ...(phases ? { phase: phases } : {}) },
});

test('a table that is short enough is left alone', () => {
  const short = table([1, 2, 3]);
  expect(downsample(short, 3)).toBe(short);
});

test('mean and extremes by hand; not recorded values count for nothing', () => {
  const out = downsample(table([1, 2, 6, 5, null, 7, null, null]), 3);
  expect(Array.from(out.columns.step!)).toEqual([0, 3, 6]);
  expect(Array.from(out.columns.loss!)).toEqual([3, 6, Number.NaN]);
  expect(Array.from(out.low!.loss!)).toEqual([1, 5, Number.NaN]);
  expect(Array.from(out.high!.loss!)).toEqual([6, 7, Number.NaN]);
});

test('a row never spans two phases', () => {
  const out = downsample(table([1, 1, 1, 9, 9, 9, 9, 9], [2, 2, 2, 3, 3, 3, 3, 3]), 2);
  expect(Array.from(out.columns.loss!)).toEqual([1, 9, 9]);
  expect(Array.from(out.columns.phase!)).toEqual([2, 3, 3]);
});

test('keeps the extremes and bounds the rows; twice is as good as once for them', () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 50 }), (v, most) => {
      const once = downsample(table(v), most);
      expect(once.columns.loss!.length).toBeLessThanOrEqual(most);
      const twice = downsample(once, Math.max(1, most >> 1));
      for (const out of [once, twice]) {
        expect(Math.min(...(Array.from(out.low?.loss ?? v) as number[]))).toBe(Math.min(...v));
        expect(Math.max(...(Array.from(out.high?.loss ?? v) as number[]))).toBe(Math.max(...v));
      }
    }),
  );
});
