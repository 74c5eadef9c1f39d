import { stringify } from 'csv-stringify/sync';
import type { MetricsTable } from '../../../../protocol/metrics/page.ts';
import type { RunRecord, RunSummary } from '../../../../protocol/records/records.ts';

/**
 * CSV (RFC 4180) of a table: a line with the keys, then the rows; empty where nothing was recorded. Phases are 2 and 3, times ISO 8601. The
 * interval of a value follows it: `dice`, `dice low`, `dice high`.
 */
export function csvOf({ columns, low = {}, high = {} }: MetricsTable): string {
  const all = new Map(
    Object.entries(columns).flatMap(([key, values]) => [
      [key, values] as const,
      ...[low, high].flatMap((set, end) => {
        const own = set[key];
        return own ? [[`${key} ${end === 0 ? 'low' : 'high'}`, own] as const] : [];
      }),
    ]),
  );
  const keys = [...all.keys()];
  const rows = Array.from({ length: columns.step?.length ?? 0 }, (_, row) =>
    [...all].map(([key, values]) => {
      const value = values[row] ?? null;
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
