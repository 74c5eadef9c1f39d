import type { MetricsTable } from '../../protocol/metrics.ts';

const positions = new Set(['step', 'epoch', 'time', 'phase']);

/**
 * A table of at most `most` rows (at least one a phase): each stands for steps of one phase, with the mean, smallest and largest recorded
 * value of every series, so that neither spikes nor levels are lost; its position is that of its first step. The steps of a row
 * are consecutive, unless phases change so often that this would give too many rows. Shorter tables are returned as they are.
 */
export function downsample(table: MetricsTable, most: number): MetricsTable {
  const length = table.columns.step?.length ?? 0;
  if (length <= most) return table;
  const groups = groupRows(length, most, table.columns.phase ?? []);
  const out: Required<MetricsTable> = { columns: {}, low: {}, high: {} };
  for (const [key, values] of Object.entries(table.columns)) {
    if (positions.has(key)) {
      out.columns[key] = Float64Array.from(groups, ([first]) => values[first!] ?? Number.NaN);
      continue;
    }
    const lows = table.low?.[key] ?? values;
    const highs = table.high?.[key] ?? values;
    const found = groups.map((rows) => summarise(rows, values, lows, highs));
    out.columns[key] = Float64Array.from(found, ([mean]) => mean);
    out.low[key] = Float64Array.from(found, ([, low]) => low);
    out.high[key] = Float64Array.from(found, ([, , high]) => high);
  }
  return out;
}

/** The rows of each group, all of one phase; groups are ordered by their first row and are `most` at the most. */
function groupRows(length: number, most: number, phase: ArrayLike<number | null>): number[][] {
  let changes = 0;
  for (let i = 1; i < length; i++) if (phase[i] !== phase[i - 1]) changes++;
  const apart = 2 * changes < most;
  const kinds = new Set(Array.from({ length }, (_, i) => phase[i])).size;
  // Groups that a change of phase, or the end, leaves unfilled come on top of length / size.
  const unfilled = changes === 0 ? 0 : apart ? changes + 1 : kinds;
  const size = Math.ceil(length / Math.max(1, most - unfilled));
  const open = new Map<number | null | undefined, number[]>();
  const groups: number[][] = [];
  for (let row = 0; row < length; row++) {
    const kind = phase[row];
    if (apart && row > 0 && kind !== phase[row - 1]) open.clear();
    let group = open.get(kind);
    if (!group || group.length === size) {
      group = [];
      open.set(kind, group);
      groups.push(group);
    }
    group.push(row);
  }
  return groups;
}

function summarise(
  rows: readonly number[],
  values: ArrayLike<number | null>,
  lows: ArrayLike<number | null>,
  highs: ArrayLike<number | null>,
): [mean: number, low: number, high: number] {
  let sum = 0;
  let count = 0;
  let low = Number.NaN;
  let high = Number.NaN;
  for (const i of rows) {
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
