import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Curve, extent, nearestRecorded, pick, recordedRows, rowsIn } from './curve.ts';

const none = Number.NaN;
const curve: Curve = {
  runId: 'a',
  runName: 'A',
  color: '#fff',
  modality: '2D',
  dash: undefined,
  x: Float64Array.of(0, 1, 5, 6),
  raw: Float64Array.of(4, 9, 3, -1),
  line: Float64Array.of(4, 6, 3, 2),
  extremes: undefined,
  segment: Uint32Array.of(0, 0, 1, 1),
};

test('a curve has the rows of its modality that were recorded; a gap starts a segment', () => {
  const values = Float64Array.of(4, 9, 20, 21, none, 3, none, 2);
  const phase = Float64Array.of(2, 2, 3, 3, 3, 2, 2, 2);
  const rows = recordedRows(values, phase, 2);
  expect([...rows.index]).toEqual([0, 1, 5, 7]);
  expect([...rows.segment]).toEqual([0, 0, 1, 2]);
  expect([...pick(values, rows)]).toEqual([4, 9, 3, 2]);
  expect([...recordedRows(values, phase, 3).index]).toEqual([2, 3]);
  expect([...recordedRows(values, undefined, undefined).index]).toEqual([0, 1, 2, 3, 5, 7]);
});

test('the curves of both modalities have every recorded row once, in order', () => {
  const row = fc.record({
    value: fc.oneof(fc.constant(none), fc.double({ noNaN: true })),
    phase: fc.constantFrom(2, 3),
  });
  fc.assert(
    fc.property(fc.array(row), (table) => {
      const values = Float64Array.from(table, ({ value }) => value);
      const phase = Float64Array.from(table, (r) => r.phase);
      const both = [2, 3].map((modality) => [...recordedRows(values, phase, modality).index]);
      for (const rows of both) expect(rows).toEqual(rows.toSorted((a, b) => a - b));
      const expected = table.flatMap(({ value }, i) => (Number.isNaN(value) ? [] : [i]));
      expect(both.flat().sort((a, b) => a - b)).toEqual(expected);
    }),
  );
});

test('rows in sight, with a neighbour on each side', () => {
  const x = Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7);
  expect(rowsIn(x, 1.5, 3.5)).toEqual([1, 4]);
  expect(rowsIn(x, -9, 99)).toEqual([0, 7]);
});

test('extent of what is shown; with a logarithmic axis only of positive values', () => {
  expect(extent(curve, 0, 3, false)).toEqual([-1, 9]);
  expect(extent(curve, 0, 3, true)).toEqual([2, 9]);
  expect(extent(curve, 2, 1, false)).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
});

test('the value at the cursor is one of there, or none', () => {
  expect(nearestRecorded(curve, 1.2, 0.5)).toBe(1);
  expect(nearestRecorded(curve, 3, 0.5)).toBe(-1);
  expect(nearestRecorded(curve, 9, 0.5)).toBe(-1);
  expect(nearestRecorded({ ...curve, segment: undefined }, 3.2, 0.5)).toBe(2);
});
