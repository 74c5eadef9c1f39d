import type { Modality } from '../../protocol/modality.ts';
import { lastAtOrBefore, nearestRow } from './table.ts';

/** One run's series, ready for drawing: rows ascend in `x`, and belong to one modality if the series is shown by modality. */
export interface Curve {
  runId: string;
  runName: string;
  color: string;
  /** What it is of, where its chart shows several members of a family: a class. */
  label?: string;
  /** The modality of its rows; undefined: of all. */
  modality: Modality | undefined;
  /** Lengths of dash and gap in CSS pixels; undefined: a solid line. */
  dash: readonly number[] | undefined;
  /** Whether the line is thin: with several runs, the 3D curves where 2D and 3D are in one chart. */
  thin?: boolean;
  /** Whether another run is emphasised. */
  faded?: boolean;
  x: Float64Array;
  /** Recorded values (or the means of down-sampled rows). */
  raw: Float64Array;
  /** The line: `raw`, or its moving average. */
  line: Float64Array;
  extremes: { low: Float64Array; high: Float64Array } | undefined;
  /**
   * Segment number of each row. A segment is a stretch of rows that the run recorded in succession. Between segments it trained
   * on something else, and the line is thin. undefined: one segment.
   */
  segment: Uint32Array | undefined;
}

/** A choice of a table's rows, with the segments that they form. */
export interface Rows {
  index: Uint32Array;
  segment: Uint32Array;
}

/** The rows with a value, of one modality (2 or 3) if given. A segment is a stretch of consecutive rows of the table. */
export function recordedRows(
  values: Float64Array,
  phase: Float64Array | undefined,
  modality: number | undefined,
): Rows {
  const index = new Uint32Array(values.length);
  const segment = new Uint32Array(values.length);
  let count = 0;
  let segments = 0;
  for (let row = 0; row < values.length; row++) {
    if (Number.isNaN(values[row]!) || (modality !== undefined && phase?.[row] !== modality)) continue;
    if (count > 0 && index[count - 1] !== row - 1) segments++;
    index[count] = row;
    segment[count] = segments;
    count++;
  }
  return { index: index.subarray(0, count), segment: segment.subarray(0, count) };
}

/** The values of a choice of rows. */
export function pick(values: Float64Array, { index }: Rows): Float64Array {
  if (index.length === values.length) return values;
  const out = new Float64Array(index.length);
  for (let i = 0; i < out.length; i++) out[i] = values[index[i]!]!;
  return out;
}

/** The rows from the last one before a range to the first one after it, [first, last]; `x` ascends. */
export function rowsIn(x: Float64Array, from: number, to: number): [first: number, last: number] {
  const first = Math.max(0, lastAtOrBefore(x, from));
  const last = Math.min(x.length - 1, lastAtOrBefore(x, to) + 1);
  return [first, last];
}

/** Smallest and largest value that a curve shows in a range of rows; infinities if there is none. */
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

/**
 * The row that is nearest to a place, or −1 if the run has none near it: beyond its ends, or, in a table of steps, between two
 * segments. Epochs are far apart, so within the run the nearest one counts.
 */
export function nearestRecorded(curve: Curve, x: number, tolerance: number): number {
  const row = nearestRow(curve.x, x);
  if (row < 0 || x < curve.x[0]! - tolerance || x > curve.x.at(-1)! + tolerance) return -1;
  return curve.segment === undefined || Math.abs(curve.x[row]! - x) <= tolerance ? row : -1;
}
