import {
  type MetricsEvent,
  type MetricsMessage,
  type MetricsTable,
  metricsMessage,
  mostSeries,
  type Preview,
  type Progress,
  positionColumns,
  type RunMetrics,
  type ShownRunState,
  type ShownSeries,
  type SummaryFact,
  tooManySeries,
} from '../../protocol/metrics/page.ts';
import { Table } from './table.ts';

/** A run in the component. */
export interface Run {
  id: string;
  name: string;
  state: ShownRunState;
  /** The catalogue of its numbers. */
  series: readonly ShownSeries[];
  steps: Table;
  epochs: Table;
  events: MetricsEvent[];
  previews: Preview[];
  progress: Progress | undefined;
  waits?: string | undefined;
  queue?: number | undefined;
  settings?: Readonly<Record<string, string>> | undefined;
  about?: readonly SummaryFact[] | undefined;
  /** It has more series than are kept. */
  seriesDropped?: true;
}

/** What a message did: changed the data, was seen before, left a gap (a message before it is missing), or was refused. */
export type Applied = 'changed' | 'old' | 'gap' | 'refused';

/** All data of the component, from the messages of its source. */
export class MetricsStore {
  title = '';
  summary: SummaryFact[] = [];
  readonly runs = new Map<string, Run>();
  /** Why the last message was refused. */
  refusal = '';
  /** Number of the last message taken; undefined before the first snapshot. */
  sequence: number | undefined;

  apply(input: unknown): Applied {
    const parsed = metricsMessage.safeParse(input);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      this.refusal = issue ? `${issue.path.join('.')}: ${issue.message}` : 'not a message';
      return 'refused';
    }
    const message = parsed.data;
    if (message.type === 'snapshot') {
      this.replace(message);
    } else {
      if (this.sequence === undefined || message.sequence > this.sequence + 1) return 'gap';
      if (message.sequence <= this.sequence) return 'old';
      if (message.type === 'remove') this.runs.delete(message.run);
      else this.append(message);
    }
    this.sequence = message.sequence;
    return 'changed';
  }

  private replace(message: Extract<MetricsMessage, { type: 'snapshot' }>): void {
    this.title = message.title;
    this.summary = message.summary;
    this.runs.clear();
    for (const run of message.runs) {
      // Folders distinguish runs of the same name.
      const alone = message.runs.filter(({ name }) => name === run.name).length === 1;
      this.runs.set(run.id, openRun(alone ? run : { ...run, name: run.id.split('/').at(-1)! }));
    }
  }

  private append(message: Extract<MetricsMessage, { type: 'append' }>): void {
    const run = this.runs.get(message.run);
    if (!run) return;
    if (message.steps) run.steps.append(kept(run, message.steps));
    if (message.epochs) run.epochs.append(kept(run, message.epochs));
    if (message.events) run.events.push(...message.events);
    if (message.previews) run.previews.push(...message.previews);
    if (message.state) {
      run.state = message.state;
      run.waits = message.waits;
      run.queue = message.queue;
    }
    if (message.progress) run.progress = message.progress;
  }
}

function openRun(given: RunMetrics): Run {
  const empty = { columns: {} };
  const run: Run = {
    ...given,
    steps: new Table(empty),
    epochs: new Table(empty),
    events: [...given.events],
    previews: [...given.previews],
    progress: given.progress,
  };
  run.steps.append(kept(run, given.steps));
  run.epochs.append(kept(run, given.epochs));
  return run;
}

/** The last step that the run has rows of. */
function lastStep({ steps }: Run): number {
  return steps.values('step')?.at(-1) ?? 0;
}

const positions: ReadonlySet<string> = new Set(positionColumns);

/** The table without new series beyond `mostSeries`; the first time, an event says so. */
function kept(run: Run, table: MetricsTable): MetricsTable {
  const known = new Set([...run.steps.keys, ...run.epochs.keys]);
  let room = mostSeries - [...known].filter((key) => !positions.has(key)).length;
  const dropped = new Set(
    Object.keys(table.columns).filter((key) => !known.has(key) && !positions.has(key) && room-- <= 0),
  );
  const [first] = dropped;
  if (first === undefined) return table;
  if (!run.seriesDropped) run.events.push({ kind: 'info', step: lastStep(run), message: tooManySeries(first) });
  run.seriesDropped = true;
  const without = (set: MetricsTable['columns']) =>
    Object.fromEntries(Object.entries(set).filter(([key]) => !dropped.has(key)));
  return {
    columns: without(table.columns),
    ...(table.low && { low: without(table.low) }),
    ...(table.high && { high: without(table.high) }),
  };
}
