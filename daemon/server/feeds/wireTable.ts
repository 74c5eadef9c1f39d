import type { MetricsTable } from '../../../protocol/metrics/page.ts';

/** A table in JSON: arrays, 7 digits (float32) except for times and steps, null where nothing was recorded. */
export function wireTable(table: MetricsTable): MetricsTable {
  const plain = (columns: MetricsTable['columns']) =>
    Object.fromEntries(Object.entries(columns).map(([key, values]) => [key, numbers(key, values)]));
  return {
    columns: plain(table.columns),
    ...(table.low && { low: plain(table.low) }),
    ...(table.high && { high: plain(table.high) }),
  };
}

function numbers(key: string, values: ArrayLike<number | null>): (number | null)[] {
  const exact = key === 'time' || key === 'step' || key === 'epoch';
  return Array.from(values, (value) => {
    if (value === null || !Number.isFinite(value)) return null;
    return exact ? value : Number(value.toPrecision(7));
  });
}
