import { stringify } from 'csv-stringify/sync';
import type { MetricsTable } from '../../../../protocol/metrics/page.ts';
import type { RunRecord, RunSummary } from '../../../../protocol/records/records.ts';
import type { Series } from '../../../../protocol/records/series.ts';
import { recordsToColumns } from '../../../evaluate/series/columns.ts';
import { downsample } from '../../../evaluate/series/downsample.ts';

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

/**
 * The text of a run for a terminal: its steps in at most `rows` lines of means, its last epochs, and its events. Counts from 1.
 * @param series catalogue of the run's numbers
 */
export function textOf(run: RunSummary, records: readonly RunRecord[], series: readonly Series[], rows = 20): string {
  const { steps, epochs } = recordsToColumns(records);
  const events = records.flatMap((r) =>
    r.kind === 'event' ? [`${r.time.slice(0, 19)}  ${r.event.padEnd(10)} ${r.message.split('\n')[0]}`] : [],
  );
  const progress = run.epoch === null ? 'no steps yet' : `epoch ${run.epoch + 1} of ${run.epochs}`;
  return [
    `${run.id}: ${run.state}, ${run.preset}, ${progress}`,
    ...section('Steps (means)', downsample(steps, rows), [
      ['step', 'step', 'n'],
      ...placesOf(steps),
      ...shownSeries(series, 'step'),
    ]),
    ...section('Epochs', lastRows(epochs, rows), [...placesOf(epochs), ...shownSeries(series, 'epoch')]),
    ...(events.length === 0 ? [] : ['', 'Events', ...events.slice(-rows)]),
    '',
  ].join('\n');
}

/** Heading, key, and decimals; 'e': in powers of ten, 'D': a phase, 'n': a number from 0 that people count from 1. */
type ShownColumn = [heading: string, key: string, decimals: number | 'e' | 'D' | 'n'];

function placesOf({ columns }: MetricsTable): ShownColumn[] {
  return [['epoch', 'epoch', 'n'], ...(columns.phase ? [['phase', 'phase', 'D'] satisfies ShownColumn] : [])];
}

function shownSeries(series: readonly Series[], of: Series['of']): ShownColumn[] {
  return series.flatMap(({ key, inTerminal, of: table }) =>
    inTerminal && table === of ? [[inTerminal.heading, key, inTerminal.decimals] satisfies ShownColumn] : [],
  );
}

function section(title: string, { columns }: MetricsTable, shown: readonly ShownColumn[]): string[] {
  const count = columns.step?.length ?? 0;
  if (count === 0) return [];
  const cells = shown.map(([heading, key, decimals]) => [
    heading,
    ...Array.from({ length: count }, (_, row) => {
      const value = columns[key]?.[row] ?? null;
      if (value === null || !Number.isFinite(value)) return '–';
      if (decimals === 'D') return `${value}D`;
      if (decimals === 'n') return String(value + 1);
      return decimals === 'e' ? value.toExponential(2) : value.toFixed(decimals);
    }),
  ]);
  const widths = cells.map((column) => Math.max(...column.map((cell) => cell.length)));
  const lines = Array.from({ length: count + 1 }, (_, row) =>
    cells.map((column, i) => column[row]!.padStart(widths[i]!)).join('  '),
  );
  return ['', title, ...lines];
}

function lastRows({ columns }: MetricsTable, rows: number): MetricsTable {
  return {
    columns: Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, Array.from(column).slice(-rows)])),
  };
}
