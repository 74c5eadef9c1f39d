import type { MetricsTable } from '../../protocol/metrics.ts';

const positions = new Set(['step', 'epoch', 'time', 'phase']);

/**
 * A table of at most about `most` rows: each stands for consecutive steps of one phase, with the mean, smallest and largest
 * recorded value of every series, so that neither spikes nor levels are lost. Shorter tables are returned as they are.
 * A phase gets at least one row, so that a run with more than `most` phase changes has more rows.
 */
export function downsample(table: MetricsTable, most: number): MetricsTable {
  const length = table.columns.step?.length ?? 0;
  if (length <= most) return table;
  const starts = bucketStarts(length, Math.ceil(length / most), table.columns.phase);
  const rows = starts.length - 1;
  const out: Required<MetricsTable> = { columns: {}, low: {}, high: {} };
  for (const [key, values] of Object.entries(table.columns)) {
    if (positions.has(key)) {
      out.columns[key] = Float64Array.from({ length: rows }, (_, r) => values[starts[r]!] ?? Number.NaN);
      continue;
    }
    const mean = new Float64Array(rows);
    const low = new Float64Array(rows);
    const high = new Float64Array(rows);
    for (let r = 0; r < rows; r++) {
      const found = summarise(
        values,
        table.low?.[key] ?? values,
        table.high?.[key] ?? values,
        starts[r]!,
        starts[r + 1]!,
      );
      [mean[r], low[r], high[r]] = found;
    }
    out.columns[key] = mean;
    out.low[key] = low;
    out.high[key] = high;
  }
  return out;
}

/** First rows of the buckets, and the table's length at the end. */
function bucketStarts(length: number, size: number, phase: ArrayLike<number | null> | undefined): number[] {
  const starts = [0];
  for (let i = 1; i < length; i++) {
    const full = i - starts.at(-1)! >= size;
    if (full || (phase && phase[i] !== phase[i - 1])) starts.push(i);
  }
  starts.push(length);
  return starts;
}

function summarise(
  values: ArrayLike<number | null>,
  lows: ArrayLike<number | null>,
  highs: ArrayLike<number | null>,
  from: number,
  to: number,
): [mean: number, low: number, high: number] {
  let sum = 0;
  let count = 0;
  let low = Number.NaN;
  let high = Number.NaN;
  for (let i = from; i < to; i++) {
    const v = values[i];
    if (v === null || v === undefined || !Number.isFinite(v)) continue;
    const l = lows[i] ?? v;
    const h = highs[i] ?? v;
    sum += v;
    count++;
    if (!(low <= l)) low = l;
    if (!(high >= h)) high = h;
  }
  return [count > 0 ? sum / count : Number.NaN, low, high];
}
