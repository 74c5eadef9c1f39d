import type { MetricsTable } from '../../../protocol/metrics.ts';
import { type EpochRecord, lossTerms, type RunRecord, type StepRecord } from '../../../protocol/records.ts';

type Row = Record<string, number | null>;

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

const phaseNumber = { '2D': 2, '3D': 3 } as const;

/** Steps and epochs as columns (protocol/metrics.ts): `term/<name>` are the terms of the loss, null in the other phase. */
export function tablesOf(records: Iterable<RunRecord>): { steps: MetricsTable; epochs: MetricsTable } {
  const steps = new Columns(['step', 'epoch', 'time', 'phase', ...stepSeries]);
  const epochs = new Columns(['step', 'epoch', 'time', 'phase', 'loss', 'seconds', ...collapseSeries]);
  for (const record of records) {
    if (record.kind === 'step') steps.add(stepRow(record));
    else if (record.kind === 'epoch') epochs.add(epochRow(record));
  }
  return { steps: steps.table, epochs: epochs.table };
}

function stepRow(record: StepRecord): Row {
  const { step, epoch, phase, terms } = record;
  const row: Row = { step, epoch, time: Date.parse(record.time), phase: phaseNumber[phase] };
  for (const key of stepSeries) row[key] = record[key];
  terms.forEach((value, i) => {
    row[`term/${lossTerms[phase][i] ?? i}`] = value;
  });
  return row;
}

function epochRow(record: EpochRecord): Row {
  const { step, epoch, phase, loss, seconds, collapse } = record;
  const row: Row = { step, epoch, time: Date.parse(record.time), phase: phaseNumber[phase], loss, seconds };
  for (const key of collapseSeries) row[key] = collapse?.[key] ?? null;
  return row;
}

/** Columns that grow row by row; one that appears late has null before. */
class Columns {
  private readonly columns: Record<string, (number | null)[]> = {};
  private rows = 0;
  constructor(keys: readonly string[]) {
    for (const key of keys) this.columns[key] = [];
  }

  add(row: Row): void {
    for (const key of Object.keys(row)) this.columns[key] ??= new Array<null>(this.rows).fill(null);
    for (const [key, column] of Object.entries(this.columns)) column.push(row[key] ?? null);
    this.rows++;
  }

  get table(): MetricsTable {
    return { columns: this.columns };
  }
}
