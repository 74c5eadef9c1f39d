import {
  type MetricsEvent,
  type MetricsTable,
  mostSeries,
  positionColumns,
  tooManySeries,
} from '../../../protocol/metrics/page.ts';
import type { EpochRecord, EventRecord, RunRecord, StepRecord } from '../../../protocol/records/records.ts';
import { ownFields } from '../../../protocol/records/series.ts';
import type { Warning } from '../../../protocol/records/warning.ts';
import { type GrowingColumn, GrowingTable } from './growingTable.ts';

/** Records as columns for the metrics component. */
export interface RunColumns {
  steps: MetricsTable;
  epochs: MetricsTable;
  events: MetricsEvent[];
}

/** Names of columns that a record's `values` must not use. */
const taken: ReadonlySet<string> = new Set([...positionColumns, ...ownFields.step, ...ownFields.epoch]);

/**
 * Records as growing columns of steps, epochs and events; records are added in the order of writing. A series has the name of its
 * key, and exists once a record has a value of it. Warnings of an epoch become events at its last step.
 */
export class GrowingColumns {
  readonly steps = new GrowingTable();
  readonly epochs = new GrowingTable();
  readonly events: MetricsEvent[] = [];
  /** The last added step. */
  lastStep = 0;
  private readonly stepPosition = positionOf(this.steps);
  private readonly stepFields = ownFields.step.map((key) => ({ key, column: this.steps.column(key) }));
  private readonly series = new Set<string>([...ownFields.step, ...ownFields.epoch]);
  /** The first key beyond `mostSeries`. */
  private dropped: string | undefined;
  private readonly stepValues = new ValueColumns(this.steps, (key) => this.keeps(key));
  private readonly epochPosition = positionOf(this.epochs);
  private readonly epochFields = ownFields.epoch.map((key) => ({ key, column: this.epochs.column(key) }));
  private readonly epochValues = new ValueColumns(this.epochs, (key) => this.keeps(key));

  /** Adds a record. The first series beyond `mostSeries` becomes an event; the numbers of all of them are dropped. */
  add(record: RunRecord): void {
    const kept = this.dropped === undefined;
    if (record.kind === 'step') this.addStep(record);
    else if (record.kind === 'epoch') this.addEpoch(record);
    else this.events.push(plainEvent(record, this.lastStep));
    if (kept && this.dropped !== undefined) {
      const { lastStep, dropped } = this;
      const time = Date.parse(record.time);
      this.events.push({ kind: 'info', step: record.step ?? lastStep, time, message: tooManySeries(dropped) });
    }
  }

  private keeps(key: string): boolean {
    if (this.series.size < mostSeries) this.series.add(key);
    if (this.series.has(key)) return true;
    this.dropped ??= key;
    return false;
  }

  private addStep(record: StepRecord): void {
    const row = this.steps.addRow();
    place(this.steps, this.stepPosition, row, record);
    for (const { key, column } of this.stepFields) column.values[row] = record[key];
    this.stepValues.add(row, record.values);
    this.lastStep = record.step;
  }

  private addEpoch(record: EpochRecord): void {
    const row = this.epochs.addRow();
    place(this.epochs, this.epochPosition, row, record);
    for (const { key, column } of this.epochFields) column.values[row] = record[key];
    this.epochValues.add(row, record.values);
    for (const [key, interval] of Object.entries(record.intervals ?? {}))
      if (this.epochValues.has(key)) this.epochs.setInterval(row, key, interval);
    for (const warning of record.warnings) this.events.push(warningEvent(warning, record));
  }
}

/** The columns of the records' `values` in a table. */
class ValueColumns {
  private readonly columns = new Map<string, GrowingColumn>();

  /** @param keeps whether a series that is new to the table gets a column */
  constructor(
    private readonly table: GrowingTable,
    private readonly keeps: (key: string) => boolean,
  ) {}

  add(row: number, values: StepRecord['values']): void {
    // Without arrays of keys or entries: this runs for every step of a long run.
    for (const key in values) {
      const column = this.columns.get(key) ?? this.open(key);
      if (column) column.values[row] = values[key] ?? Number.NaN;
    }
  }

  /** Whether a series has a column. */
  has(key: string): boolean {
    return this.columns.has(key);
  }

  private open(key: string): GrowingColumn | undefined {
    if (taken.has(key) || !this.keeps(key)) return undefined;
    const column = this.table.column(key);
    this.columns.set(key, column);
    return column;
  }
}

/** All columns of records. */
export function recordsToColumns(records: Iterable<RunRecord>): RunColumns {
  const columns = new GrowingColumns();
  for (const record of records) columns.add(record);
  return { steps: columns.steps.slice(), epochs: columns.epochs.slice(), events: columns.events };
}

/** The columns that position every row, in the order in which tables show them. */
function positionOf(table: GrowingTable) {
  return { step: table.column('step'), epoch: table.column('epoch'), time: table.column('time') };
}

/** A run without groups has no column `phase`. */
function place(
  table: GrowingTable,
  position: ReturnType<typeof positionOf>,
  row: number,
  record: StepRecord | EpochRecord,
): void {
  position.step.values[row] = record.step;
  position.epoch.values[row] = record.epoch;
  position.time.values[row] = Date.parse(record.time);
  if (record.group !== null) table.column('phase').values[row] = record.group === '3D' ? 3 : 2;
}

function warningEvent({ what, advice }: Warning, record: EpochRecord): MetricsEvent {
  return {
    kind: 'warning',
    event: 'sign',
    step: record.step,
    epoch: record.epoch,
    time: Date.parse(record.time),
    message: what,
    ...(advice !== undefined && { advice }),
  };
}

function plainEvent(record: EventRecord, lastStep: number): MetricsEvent {
  const kinds: Partial<Record<EventRecord['event'], MetricsEvent['kind']>> = {
    warning: 'warning',
    broken: 'warning',
    error: 'error',
  };
  return {
    kind: kinds[record.event] ?? 'info',
    event: record.event,
    step: record.step ?? lastStep,
    epoch: record.epoch,
    time: Date.parse(record.time),
    message: record.message,
    ...(record.file !== undefined && { file: record.file }),
    ...(record.code !== undefined && { code: record.code }),
  };
}
