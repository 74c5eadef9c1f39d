import type { MetricsTable } from '../../../protocol/metrics/page.ts';

const positions = new Set(['step', 'epoch', 'time', 'phase']);

/**
 * A table of at most `most` rows (at least one per phase). Each row stands for steps of one phase, with the mean, smallest and
 * largest recorded value of every series, so that neither spikes nor levels are lost. Its position is that of its first step. The
 * steps of a row are consecutive, unless phases change so often that this would make too many rows. Shorter tables are returned
 * unchanged.
 */
export function downsample(table: MetricsTable, most: number): MetricsTable {
  const length = table.columns.step?.length ?? 0;
  if (length <= most) return table;
  const groups = groupRows(length, most, table.columns.phase ?? []);
  const out: Required<MetricsTable> = { columns: {}, low: {}, high: {} };
  for (const [key, values] of Object.entries(table.columns)) {
    if (positions.has(key)) {
      out.columns[key] = Float64Array.from(groups.first, (row) => values[row] ?? Number.NaN);
      continue;
    }
    const { mean, low, high } = summarise(groups, values, table.low?.[key] ?? values, table.high?.[key] ?? values);
    out.columns[key] = mean;
    out.low[key] = low;
    out.high[key] = high;
  }
  return out;
}

interface Groups {
  /** The group of each row. */
  of: Int32Array;
  /** The first row of each group, ascending. */
  first: number[];
}

/** Groups of rows of one phase, ordered by their first row; at most `most`. */
function groupRows(length: number, most: number, phase: ArrayLike<number | null>): Groups {
  let changes = 0;
  const kinds = new Set([phase[0]]);
  for (let i = 1; i < length; i++) {
    if (phase[i] === phase[i - 1]) continue;
    changes++;
    kinds.add(phase[i]);
  }
  const apart = 2 * changes < most;
  // Incomplete groups at a change of phase or at the end add to length / size.
  const unfilled = changes === 0 ? 0 : apart ? changes + 1 : kinds.size;
  const size = Math.ceil(length / Math.max(1, most - unfilled));
  const open = new Map<number | null | undefined, { group: number; rows: number }>();
  const groups: Groups = { of: new Int32Array(length), first: [] };
  for (let row = 0; row < length; row++) {
    const kind = phase[row];
    if (apart && row > 0 && kind !== phase[row - 1]) open.clear();
    let filling = open.get(kind);
    if (!filling || filling.rows === size) {
      filling = { group: groups.first.push(row) - 1, rows: 0 };
      open.set(kind, filling);
    }
    groups.of[row] = filling.group;
    filling.rows++;
  }
  return groups;
}

/** Mean, smallest and largest recorded value of each group; NaN where nothing was recorded. */
function summarise(
  { of, first }: Groups,
  values: ArrayLike<number | null>,
  lows: ArrayLike<number | null>,
  highs: ArrayLike<number | null>,
): { mean: Float64Array; low: Float64Array; high: Float64Array } {
  const mean = new Float64Array(first.length);
  const count = new Float64Array(first.length);
  const low = new Float64Array(first.length).fill(Number.NaN);
  const high = new Float64Array(first.length).fill(Number.NaN);
  for (let row = 0; row < of.length; row++) {
    const v = values[row];
    if (v === null || v === undefined || !Number.isFinite(v)) continue;
    const group = of[row]!;
    const l = lows[row] ?? v;
    const h = highs[row] ?? v;
    mean[group]! += v;
    count[group]!++;
    if (!(low[group]! <= l)) low[group] = l;
    if (!(high[group]! >= h)) high[group] = h;
  }
  for (let group = 0; group < mean.length; group++) mean[group]! /= count[group]!; // 0 / 0 is NaN
  return { mean, low, high };
}
