import { lastAtOrBefore, nearestRow } from './table.ts';

/** One run's series, ready to be drawn: rows ascending in `x`; NaN where nothing was recorded. */
export interface Curve {
  runId: string;
  runName: string;
  color: string;
  x: Float64Array;
  /** As recorded (or the means of down-sampled rows). */
  raw: Float64Array;
  /** The line: `raw`, or its moving average. */
  line: Float64Array;
  extremes: { low: Float64Array; high: Float64Array } | undefined;
  phase: Float64Array | undefined;
}

/** The rows of ascending positions from the last one before a range to the first one after it, [first, last]. */
export function rowsIn(x: Float64Array, from: number, to: number): [first: number, last: number] {
  const first = Math.max(0, lastAtOrBefore(x, from));
  const last = Math.min(x.length - 1, lastAtOrBefore(x, to) + 1);
  return [first, last];
}

/** Smallest and largest value that a curve shows in a range of rows; infinities where there is none. */
export function extent(curve: Curve, first: number, last: number, positive: boolean): [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of [curve.extremes?.low ?? curve.raw, curve.extremes?.high ?? curve.raw, curve.line]) {
    for (let i = first; i <= last; i++) {
      const v = values[i]!;
      if (Number.isNaN(v) || (positive && v <= 0)) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  return [low, high];
}

/** The last row with a value, or −1. */
export function lastRecorded(values: Float64Array): number {
  return values.findLastIndex((v) => !Number.isNaN(v));
}

/**
 * The row with a value that is nearest to a place, or −1 where the run has none near it: beyond its ends, or, in a table of
 * steps, in a phase without this series. Epochs lie far apart, so that the nearest one counts within the run.
 */
export function nearestRecorded(curve: Curve, x: number, tolerance: number): number {
  const start = nearestRow(curve.x, x);
  if (start < 0 || x < curve.x[0]! - tolerance || x > curve.x.at(-1)! + tolerance) return -1;
  for (let away = 0; away < 50; away++) {
    for (const row of [start - away, start + away]) {
      if (Number.isNaN(curve.line[row] ?? Number.NaN)) continue;
      if (curve.phase === undefined || Math.abs(curve.x[row]! - x) <= tolerance) return row;
    }
  }
  return -1;
}
