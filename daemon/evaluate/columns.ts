import type { MetricsEvent, MetricsTable } from '../../protocol/metrics.ts';
import {
  type EpochRecord,
  type EventRecord,
  lossTerms,
  type RunRecord,
  type StepRecord,
} from '../../protocol/records.ts';

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
 * Turns records, in the order in which they were written, into columns: of steps (terms of the loss as `term/<name>`), of
 * epochs, and the events; warnings of an epoch become events of kind `collapse` at its last step.
 */
export function recordsToColumns(records: Iterable<RunRecord>): RunColumns {
  const steps: StepRecord[] = [];
  const epochs: EpochRecord[] = [];
  const events: MetricsEvent[] = [];
  let step = 0;
  for (const record of records) {
    if (record.kind === 'step') {
      steps.push(record);
      step = record.step;
    } else if (record.kind === 'epoch') {
      epochs.push(record);
      for (const warning of record.warnings) events.push(warningEvent(warning, record));
    } else events.push(plainEvent(record, step));
  }
  return { steps: { columns: stepColumns(steps) }, epochs: { columns: epochColumns(epochs) }, events };
}

function stepColumns(steps: readonly StepRecord[]): Record<string, Float64Array> {
  const columns = positionColumns(steps);
  for (const key of stepSeries) columns[key] = Float64Array.from(steps, (s) => s[key]);
  for (const [phase, names] of Object.entries(lossTerms)) {
    // The only term of a 2D step is its loss.
    if (names.length < 2 || !steps.some((s) => s.phase === phase)) continue;
    for (const [i, name] of names.entries())
      columns[`term/${name}`] = Float64Array.from(steps, (s) =>
        s.phase === phase ? (s.terms[i] ?? Number.NaN) : Number.NaN,
      );
  }
  return columns;
}

function epochColumns(epochs: readonly EpochRecord[]): Record<string, Float64Array> {
  const columns = positionColumns(epochs);
  for (const key of ['loss', 'seconds'] as const) columns[key] = Float64Array.from(epochs, (e) => e[key]);
  for (const key of collapseSeries) columns[key] = Float64Array.from(epochs, (e) => e.collapse?.[key] ?? Number.NaN);
  return columns;
}

function positionColumns(records: readonly (StepRecord | EpochRecord)[]): Record<string, Float64Array> {
  return {
    step: Float64Array.from(records, (r) => r.step),
    epoch: Float64Array.from(records, (r) => r.epoch),
    phase: Float64Array.from(records, (r) => (r.phase === '3D' ? 3 : 2)),
    time: Float64Array.from(records, (r) => Date.parse(r.time)),
  };
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
