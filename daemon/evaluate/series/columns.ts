import type { MetricsEvent, MetricsTable } from '../../../protocol/metrics/page.ts';
import {
  type EpochRecord,
  type EventRecord,
  lossTerms,
  type RunRecord,
  type StepRecord,
} from '../../../protocol/records/records.ts';
import { type GrowingColumn, GrowingTable } from './growingTable.ts';

/** Records as the columns that the metrics component takes. */
export interface RunColumns {
  steps: MetricsTable;
  epochs: MetricsTable;
  events: MetricsEvent[];
}

/** Numbers of a step record that become a series under their own name. */
const stepSeries = [
  'loss',
  'learningRate',
  'weightDecay',
  'momentum',
  'gradientNorm',
  'imagesPerSecond',
  'stepMs',
  'waitMs',
  'rssMiB',
] as const;
const collapseSeries = ['teacherEntropy', 'klToUniform', 'featureStd', 'effectiveRank'] as const;

/**
 * Records as columns that grow, one record after the other in the order in which they were written: of steps (terms of the
 * loss as `term/<name>`), of epochs, and the events; warnings of an epoch become events of kind `collapse` at its last step.
 */
export class GrowingColumns {
  readonly steps = new GrowingTable();
  readonly epochs = new GrowingTable();
  readonly events: MetricsEvent[] = [];
  /** The last step that was added. */
  lastStep = 0;
  private readonly stepPosition = positionOf(this.steps);
  private readonly stepValues = stepSeries.map((key) => ({ key, column: this.steps.column(key) }));
  private readonly terms = new Map<StepRecord['phase'], GrowingColumn[]>();
  private readonly epochPosition = positionOf(this.epochs);
  private readonly epochLoss = this.epochs.column('loss');
  private readonly epochSeconds = this.epochs.column('seconds');
  private readonly collapse = collapseSeries.map((key) => ({ key, column: this.epochs.column(key) }));

  add(record: RunRecord): void {
    if (record.kind === 'step') this.addStep(record);
    else if (record.kind === 'epoch') this.addEpoch(record);
    else this.events.push(plainEvent(record, this.lastStep));
  }

  private addStep(record: StepRecord): void {
    const row = this.steps.addRow();
    place(this.stepPosition, row, record);
    for (const { key, column } of this.stepValues) column.values[row] = record[key];
    const terms = this.termsOf(record.phase);
    for (let i = 0; i < terms.length; i++) terms[i]!.values[row] = record.terms[i] ?? Number.NaN;
    this.lastStep = record.step;
  }

  /** The columns of the terms of a phase, which are there once it has a step. */
  private termsOf(phase: StepRecord['phase']): GrowingColumn[] {
    const known = this.terms.get(phase);
    if (known) return known;
    const names = lossTerms[phase];
    // The only term of a 2D step is its loss.
    const columns = names.length < 2 ? [] : names.map((name) => this.steps.column(`term/${name}`));
    this.terms.set(phase, columns);
    return columns;
  }

  private addEpoch(record: EpochRecord): void {
    const row = this.epochs.addRow();
    place(this.epochPosition, row, record);
    this.epochLoss.values[row] = record.loss;
    this.epochSeconds.values[row] = record.seconds;
    for (const { key, column } of this.collapse) column.values[row] = record.collapse?.[key] ?? Number.NaN;
    for (const warning of record.warnings) this.events.push(warningEvent(warning, record));
  }
}

/** All columns of records. */
export function recordsToColumns(records: Iterable<RunRecord>): RunColumns {
  const columns = new GrowingColumns();
  for (const record of records) columns.add(record);
  return { steps: columns.steps.slice(), epochs: columns.epochs.slice(), events: columns.events };
}

/** The columns that position a row, in the order in which tables show them. */
function positionOf(table: GrowingTable) {
  return {
    step: table.column('step'),
    epoch: table.column('epoch'),
    phase: table.column('phase'),
    time: table.column('time'),
  };
}

function place(position: ReturnType<typeof positionOf>, row: number, record: StepRecord | EpochRecord): void {
  position.step.values[row] = record.step;
  position.epoch.values[row] = record.epoch;
  position.phase.values[row] = record.phase === '3D' ? 3 : 2;
  position.time.values[row] = Date.parse(record.time);
}

/** What looks wrong is the text up to the sentence that begins with "Try". */
function warningEvent(warning: string, record: EpochRecord): MetricsEvent {
  const at = warning.search(/\sTry\b/);
  return {
    kind: 'collapse',
    step: record.step,
    epoch: record.epoch,
    time: Date.parse(record.time),
    message: at < 0 ? warning : warning.slice(0, at),
    advice: at < 0 ? undefined : warning.slice(at + 1),
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
    step: record.step ?? lastStep,
    epoch: record.epoch,
    time: Date.parse(record.time),
    message: record.message,
  };
}
