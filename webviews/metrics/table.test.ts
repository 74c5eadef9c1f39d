import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastAtOrBefore, nearestRow, Table } from './table.ts';

test('appended rows follow; series that come or go leave gaps', () => {
  const table = new Table({ columns: { step: [0, 1], loss: [3, null] } });
  table.append({ columns: { step: [2], rank: [5] } });
  expect([...table.values('loss')!]).toEqual([3, Number.NaN, Number.NaN]);
  expect([...table.values('rank')!]).toEqual([Number.NaN, Number.NaN, 5]);
  expect(table.keys).toEqual(['step', 'loss', 'rank']);
});

test('rows that follow down-sampled ones are their own extremes, and the other way round', () => {
  const table = new Table({ columns: { step: [0], loss: [3] }, low: { loss: [1] }, high: { loss: [9] } });
  table.append({ columns: { step: [5], loss: [4] } });
  expect([...table.extremes('loss')!.low]).toEqual([1, 4]);
  expect([...table.extremes('loss')!.high]).toEqual([9, 4]);
  const later = new Table({ columns: { step: [0], loss: [3] } });
  expect(later.extremes('loss')).toBeUndefined();
  later.append({ columns: { step: [5], loss: [4] }, low: { loss: [2] }, high: { loss: [7] } });
  expect([...later.extremes('loss')!.low]).toEqual([3, 2]);
});

test('growing row by row gives what one table gives', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 200 }), (values) => {
      const table = new Table({ columns: { step: [] } });
      for (const [i, v] of values.entries()) table.append({ columns: { step: [i], loss: [v] } });
      expect([...(table.values('loss') ?? [])]).toEqual(values);
    }),
  );
});

test('infinite values count as not recorded', () => {
  expect([...new Table({ columns: { loss: [Number.POSITIVE_INFINITY, 1] } }).values('loss')!]).toEqual([Number.NaN, 1]);
});

test('rows are found as by looking at all of them', () => {
  const sorted = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1 }).map((v) => v.sort((a, b) => a - b));
  fc.assert(
    fc.property(sorted, fc.integer({ min: -5, max: 55 }), (v, x) => {
      expect(lastAtOrBefore(v, x)).toBe(v.findLastIndex((e) => e <= x));
      const distance = Math.min(...v.map((e) => Math.abs(e - x)));
      expect(Math.abs(v[nearestRow(v, x)]! - x)).toBe(distance);
    }),
  );
  expect(nearestRow([], 3)).toBe(-1);
});
