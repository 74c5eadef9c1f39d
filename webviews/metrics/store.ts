import {
  type MetricsEvent,
  type MetricsMessage,
  metricsMessage,
  type Preview,
  type Progress,
  type RunMetrics,
  type ShownRunState,
  type ShownSeries,
  type SummaryFact,
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
    if (message.steps) run.steps.append(message.steps);
    if (message.epochs) run.epochs.append(message.epochs);
    if (message.events) run.events.push(...message.events);
    if (message.previews) run.previews.push(...message.previews);
    if (message.state) run.state = message.state;
    if (message.progress) run.progress = message.progress;
  }
}

function openRun(run: RunMetrics): Run {
  return {
    ...run,
    steps: new Table(run.steps),
    epochs: new Table(run.epochs),
    events: [...run.events],
    previews: [...run.previews],
    progress: run.progress,
  };
}
