import { stringify } from 'csv-stringify/sync';
import type { MetricsTable } from '../../../../protocol/metrics/page.ts';
import type { RunRecord, RunSummary } from '../../../../protocol/records/records.ts';

/** CSV (RFC 4180) of a table: a line with the keys, then the rows; empty where nothing was recorded. Phases are 2 and 3, times ISO 8601. */
export function csvOf({ columns }: MetricsTable): string {
  const keys = Object.keys(columns);
  const rows = Array.from({ length: columns.step?.length ?? 0 }, (_, row) =>
    keys.map((key) => {
      const value = columns[key]![row] ?? null;
      if (value === null || !Number.isFinite(value)) return null;
      return key === 'time' ? new Date(value).toISOString() : value;
    }),
  );
  return stringify([keys, ...rows]);
}

/** One JSON text with all records: {run, steps, epochs, events}. */
export function jsonOf(run: RunSummary, records: readonly RunRecord[]): string {
  const of = (kind: RunRecord['kind']) =>
    records.filter((record) => record.kind === kind).map(({ kind: _, ...rest }) => rest);
  return `${JSON.stringify({ run, steps: of('step'), epochs: of('epoch'), events: of('event') }, undefined, 1)}\n`;
}
