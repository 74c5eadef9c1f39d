import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { MetricsTable } from '../../../protocol/metrics/page.ts';
import { downsample } from './downsample.ts';

const table = (values: (number | null)[], phases?: number[]): MetricsTable => ({
  columns: { step: values.map((_, i) => i), loss: values, ...(phases ? { phase: phases } : {}) },
});

test('a table that is short enough stays as it is', () => {
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
  const out = downsample(table([1, 1, 1, 9, 9, 9, 9, 9], [2, 2, 2, 3, 3, 3, 3, 3]), 4);
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

describe('down-sampling', () => {
  it('of 100,000 steps keeps spikes, means and phases, and is quick', () => {
    const n = 100_000;
    const spike = 77_777;
    const column = (value: (i: number) => number | null) => Array.from({ length: n }, (_, i) => value(i));
    const table: MetricsTable = {
      columns: {
        step: column((i) => i),
        epoch: column((i) => Math.floor(i / 500)),
        time: column((i) => i * 10),
        phase: column((i) => (Math.floor(i / 1000) % 2 === 0 ? 2 : 3)),
        loss: column((i) => (i === spike ? 99 : Math.floor(i / 1000) % 2 === 0 ? 1 : 3)),
        'term/image-image': column((i) => (Math.floor(i / 1000) % 2 === 0 ? 1 : null)),
      },
    };
    const began = performance.now();
    const { columns, low, high } = downsample(table, 1000);
    expect(performance.now() - began).toBeLessThan(2000);
    const rows = columns.step!.length;
    expect(rows).toBeLessThanOrEqual(1000);
    expect(rows).toBeGreaterThanOrEqual(900);
    expect(Array.from(columns.step!)).toEqual([...Array.from(columns.step!)].sort((a, b) => a! - b!));
    const [highs, lows] = [Array.from(high!.loss!), Array.from(low!.loss!)];
    expect(Math.max(...(highs as number[]))).toBe(99);
    for (let i = 0; i < rows; i++) {
      const level = columns.phase![i] === 2 ? 1 : 3;
      expect(lows[i]).toBe(level);
      expect(columns['term/image-image']![i]).toBe(level === 1 ? 1 : Number.NaN);
      if (highs[i] !== 99) expect(columns.loss![i]).toBe(level);
    }
    const spiked = columns.loss![highs.indexOf(99)]!;
    expect(spiked).toBeGreaterThan(3);
    expect(spiked).toBeLessThan(5);
  });

  it('never gives more rows than asked for, and every value lies between its extremes', () => {
    const row = fc.record({
      phase: fc.constantFrom(2, 3),
      loss: fc.option(fc.double({ min: -10, max: 10, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 200 }), fc.integer({ min: 4, max: 50 }), (rows, most) => {
        const table = {
          columns: { step: rows.map((_, i) => i), phase: rows.map((r) => r.phase), loss: rows.map((r) => r.loss) },
        };
        const result = downsample(table, most);
        expect(result.columns.step!.length).toBeLessThanOrEqual(Math.max(most, 0));
        if (rows.length <= most) expect(result).toBe(table);
        else expect(downsample(result, most)).toBe(result);
        const values = rows.flatMap((r) => r.loss ?? []);
        const lows = Array.from(result.low?.loss ?? table.columns.loss).filter(
          (x): x is number => x !== null && !Number.isNaN(x),
        );
        if (values.length > 0) expect(Math.min(...lows)).toBe(Math.min(...values));
        Array.from(result.low?.loss ?? []).forEach((found, i) => {
          const low = found ?? Number.NaN;
          if (Number.isNaN(low)) expect(result.columns.loss![i]).toBeNaN();
          else expect(result.columns.loss![i]! - low).toBeGreaterThanOrEqual(-1e-9);
        });
      }),
    );
  });
});
