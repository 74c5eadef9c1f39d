import { expect, test } from 'vitest';
import { type Curve, extent, lastRecorded, nearestRecorded, rowsIn } from './curve.ts';

const none = Number.NaN;
const curve: Curve = {
  runId: 'a',
  runName: 'A',
  color: '#fff',
  x: Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7),
  raw: Float64Array.of(4, 9, none, none, none, 3, -1, none),
  line: Float64Array.of(4, 6, none, none, none, 3, 2, none),
  extremes: undefined,
  phase: Float64Array.of(2, 2, 3, 3, 3, 2, 2, 2),
};

test('rows in sight, with a neighbour on each side', () => {
  expect(rowsIn(curve.x, 1.5, 3.5)).toEqual([1, 4]);
  expect(rowsIn(curve.x, -9, 99)).toEqual([0, 7]);
});

test('extent of what is shown; with a logarithmic axis only of positive values', () => {
  expect(extent(curve, 0, 7, false)).toEqual([-1, 9]);
  expect(extent(curve, 0, 7, true)).toEqual([2, 9]);
  expect(extent(curve, 2, 4, false)).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
});

test('the value at the cursor is one of there, or none', () => {
  expect(nearestRecorded(curve, 1.2, 0.5)).toBe(1);
  expect(nearestRecorded(curve, 3, 0.5)).toBe(-1);
  expect(nearestRecorded(curve, 9, 0.5)).toBe(-1);
  expect(nearestRecorded({ ...curve, phase: undefined }, 3, 0.5)).toBe(1);
  expect(lastRecorded(curve.line)).toBe(6);
});
