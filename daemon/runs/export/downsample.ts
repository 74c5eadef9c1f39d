import { type Column, type MetricsTable, positionColumns } from '../../../protocol/metrics.ts';

/**
 * A table of at most `maxRows` rows (at least 2) for plots of long runs. A row stands for consecutive rows of one phase: position
 * columns are the first's, series have their mean, and `low` and `high` the extremes, so that no spike is lost. A shorter table is returned as it is.
 */
export function downsample(table: MetricsTable, maxRows: number): MetricsTable {
  const phases: Column = table.columns.phase ?? [];
  const rows = table.columns.step?.length ?? 0;
  if (rows <= maxRows) return table;
  const groups = groupRows(phases, rows, maxRows);
  const result = { columns: {}, low: {}, high: {} } as Required<Record<keyof MetricsTable, Record<string, Column>>>;
  for (const [key, column] of Object.entries(table.columns)) {
    if ((positionColumns as readonly string[]).includes(key)) {
      result.columns[key] = groups.map(([first]) => column[first!]!);
      continue;
    }
    const summaries = groups.map((group) => summarize(group, column, table.low?.[key], table.high?.[key]));
    result.columns[key] = summaries.map((s) => s.mean);
    result.low[key] = summaries.map((s) => s.low);
    result.high[key] = summaries.map((s) => s.high);
  }
  return result;
}

/** Rows by phase in runs of equal length, ordered by their first row; at most `maxRows` groups. */
function groupRows(phases: Column, rows: number, maxRows: number): number[][] {
  const kinds = new Set(Array.from({ length: rows }, (_, i) => phases[i] ?? null));
  const length = Math.ceil(rows / Math.max(1, maxRows - kinds.size + 1));
  const open = new Map<number | null, number[]>();
  const groups: number[][] = [];
  for (let row = 0; row < rows; row++) {
    const phase = phases[row] ?? null;
    let group = open.get(phase);
    if (group === undefined || group.length === length) {
      group = [];
      open.set(phase, group);
      groups.push(group);
    }
    group.push(row);
  }
  return groups;
}

/** Mean and extremes of the rows of a group that have a value; null where none has. */
function summarize(group: readonly number[], column: Column, lows: Column = column, highs: Column = column) {
  let sum = 0;
  let count = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const row of group) {
    const value = column[row];
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    sum += value;
    count++;
    low = Math.min(low, lows[row] ?? value);
    high = Math.max(high, highs[row] ?? value);
  }
  return count === 0 ? { mean: null, low: null, high: null } : { mean: sum / count, low, high };
}
