import * as z from 'zod/mini';
import { modalitySchema } from '../modality.ts';

/**
 * The data of the metrics component (webviews/metrics). It comes from a script tag in the self-contained page, or from messages
 * in the editor's panel. `zod/mini`, because this file is part of the page.
 *
 * Numbers travel as columns: one array per series; all arrays of a table have the same length. `null` (JSON has no NaN) is "not
 * recorded".
 */

/** Numbers of one series; `null` or NaN where nothing was recorded. Infinite values count as not recorded. */
export type Column = ArrayLike<number | null>;

const column = z.custom<Column>(
  (value) =>
    (Array.isArray(value) && value.every((x) => x === null || typeof x === 'number')) || value instanceof Float64Array,
  'must be an array of numbers and nulls, or a Float64Array',
);
const columns = z.record(z.string(), column);

const sameLength = (table: {
  columns: Record<string, Column>;
  low?: Record<string, Column>;
  high?: Record<string, Column>;
}) => {
  const all = [table.columns, table.low ?? {}, table.high ?? {}].flatMap((set) => Object.values(set));
  return all.every((c) => c.length === all[0]?.length);
};

/**
 * A table of columns. Rows are in the order of `step`. In a down-sampled table, a row stands for several steps of one phase.
 * `columns` has their means (for `step`, `epoch`, `time` and `phase`: the value of the first step); `low` and `high` have the
 * extremes under the same keys. In a table of epochs they also have the 95 % intervals of the series with `interval`.
 */
const table = z
  .object({ columns, low: z.optional(columns), high: z.optional(columns) })
  .check(z.refine(sameLength, 'the columns of a table must have the same length'));
export type MetricsTable = z.infer<typeof table>;

/**
 * Columns that position a row: `step` (from 0), `epoch` (from 0), `time` (milliseconds since 1970), `phase` (2 or 3, the number
 * of dimensions; absent if the run has no groups). All other columns are series: `loss`, `term/<name>`, `learningRate`, …
 */
export const positionColumns = ['step', 'epoch', 'time', 'phase'] as const;

/**
 * Most series of a run, those of its steps and of its epochs together, that are kept; the columns of a position do not count.
 * Each is a column as long as the run, so that many names would fill the memory.
 */
export const mostSeries = 500;

/** Says that a run has more series than `mostSeries`. @param key the first that is not kept */
export function tooManySeries(key: string): string {
  return `This run records more than ${mostSeries} different numbers, and curves and tables contain only the first ${mostSeries}. The first one missing is ${JSON.stringify(key.slice(0, 100))}.`;
}

/** A series as the page shows it: an entry of the run's catalogue (protocol/records/series.ts), which explains the fields. */
const series = z.object({
  key: z.string(),
  of: z.enum(['step', 'epoch']),
  title: z.string(),
  unit: z.string(),
  panel: z.string(),
  help: z.string(),
  digits: z.optional(z.number()),
  smooth: z.optional(z.boolean()),
  include: z.optional(z.readonly(z.array(z.number()))),
  byModality: z.optional(z.boolean()),
  terms: z.optional(z.object({ '2D': z.number(), '3D': z.number() })),
  better: z.optional(z.enum(['lower', 'higher'])),
  limits: z.optional(
    z.readonly(z.array(z.object({ value: z.number(), wrong: z.enum(['above', 'below']), label: z.string() }))),
  ),
  judged: z.optional(z.boolean()),
  overview: z.optional(z.boolean()),
  interval: z.optional(z.boolean()),
  together: z.optional(z.string()),
});
export type ShownSeries = z.infer<typeof series>;

/** The states of records.ts, and `queued`, `starting` and `paused`. Not imported, because records.ts would bring all of zod into the page. */
const state = z.enum([
  'new',
  'queued',
  'starting',
  'running',
  'paused',
  'stopped',
  'finished',
  'failed',
  'interrupted',
]);
export type ShownRunState = z.infer<typeof state>;

/** Something that happened at a step: a warning with its advice, a checkpoint, a pause, an error. */
const runEvent = z.object({
  kind: z.enum(['warning', 'error', 'info']),
  /** Name of the event in the records, or `sign` for a warning of an epoch. */
  event: z.optional(z.string()),
  step: z.number(),
  epoch: z.optional(z.number()),
  time: z.optional(z.number()),
  message: z.string(),
  advice: z.optional(z.string()),
  /** The image concerned, as the records name it. */
  file: z.optional(z.string()),
  /** What kind of error it is. */
  code: z.optional(z.string()),
});
export type MetricsEvent = z.infer<typeof runEvent>;

const pngDataUri = z.string().check(z.regex(/^data:image\/png;base64,[A-Za-z0-9+/=]*$/, 'must be a PNG as a data URI'));

/** What the network saw at a step: both views of each image, or image, reference and prediction. In 3D, each view is a strip of its slices, side by side. */
const preview = z.object({
  step: z.number(),
  epoch: z.number(),
  phase: modalitySchema,
  images: z.array(
    z.object({
      name: z.optional(z.string()),
      views: z.array(pngDataUri),
      /** What each view is: `reference`. Default: `view 1`, … */
      titles: z.optional(z.array(z.string())),
      slices: z.optional(z.number()),
    }),
  ),
});
export type Preview = z.infer<typeof preview>;

/**
 * The progress of a run. `totalSteps` counts the steps of all groups; it is unknown while no process trains the run.
 * `secondsLeft` is the trainer's own estimate.
 */
const progress = z.object({
  step: z.number(),
  totalSteps: z.optional(z.number()),
  epoch: z.optional(z.number()),
  totalEpochs: z.optional(z.number()),
  secondsLeft: z.optional(z.number()),
});
export type Progress = z.infer<typeof progress>;

/** A result for the top of the page: "k-NN accuracy after training", "87 %", "chance 25 %". */
const fact = z.object({ label: z.string(), value: z.string(), note: z.optional(z.string()) });
export type SummaryFact = z.infer<typeof fact>;

const run = z.object({
  id: z.string(),
  name: z.string(),
  state,
  series: z.readonly(z.array(series)),
  steps: table,
  epochs: table,
  events: z.array(runEvent),
  previews: z.array(preview),
  progress: z.optional(progress),
  /** What the run waits for: its place in the queue, or a stage of preparation. A sentence. */
  waits: z.optional(z.string()),
  /** Its place in the queue, from 1. */
  queue: z.optional(z.number()),
  /** Its configuration as text, by field (`train.lr`). */
  settings: z.optional(z.record(z.string(), z.string())),
  /** What a report says of the run: date, data, machine, version. A panel has none. */
  about: z.optional(z.array(fact)),
});
export type RunMetrics = z.infer<typeof run>;

/**
 * From source to component. `sequence` rises by one with each message; a `snapshot` may start at any number and replaces
 * everything. The component ignores messages it has seen, and asks its source to resend if a number is missing.
 */
export const metricsMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    sequence: z.number(),
    title: z.string(),
    summary: z.array(fact),
    runs: z.array(run),
  }),
  z.object({
    type: z.literal('append'),
    sequence: z.number(),
    run: z.string(),
    state: z.optional(state),
    progress: z.optional(progress),
    waits: z.optional(z.string()),
    queue: z.optional(z.number()),
    steps: z.optional(table),
    epochs: z.optional(table),
    events: z.optional(z.array(runEvent)),
    previews: z.optional(z.array(preview)),
  }),
  z.object({ type: z.literal('remove'), sequence: z.number(), run: z.string() }),
]);
export type MetricsMessage = z.infer<typeof metricsMessage>;
export type MetricsSnapshot = Extract<MetricsMessage, { type: 'snapshot' }>;

/** What a panel's host can do about a run: its buttons. */
export const runActions = ['showLog', 'resume', 'moveUp', 'cancel', 'lowerRate'] as const;
export type RunAction = (typeof runActions)[number];

/**
 * From component to source (only a panel's host receives it): the component is ready, lacks the messages after `after`, or the user
 * wants something done about a run, or one of its images opened (named as in the records).
 */
export const metricsRequest = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('resend'), after: z.number() }),
  z.object({ type: z.literal('act'), run: z.string(), action: z.enum(runActions) }),
  z.object({ type: z.literal('openImage'), run: z.string(), image: z.string() }),
]);
export type MetricsRequest = z.infer<typeof metricsRequest>;

/** The source of the component's data. */
export interface MetricsSource {
  /** Passes every message to `listener`, a snapshot first. Returns a function that stops it. */
  open(listener: (message: unknown) => void): () => void;
  /** Asks for all messages after a sequence number. A source without history answers with a snapshot. */
  resend(after: number): void;
  /** Absent where no host does anything: in a report. */
  readonly host?: MetricsHost;
}

/** What the user can have done about a run beside the page. */
export interface MetricsHost {
  act(run: string, action: RunAction): void;
  openImage(run: string, image: string): void;
}

/** Id of the page's script tag (type application/json) that holds a snapshot. */
export const embeddedMetricsId = 'unimiss-metrics';
