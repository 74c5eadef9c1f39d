import { z } from 'zod';
import { modalitySchema } from '../modality.ts';
import { warningSchema } from './warning.ts';

/**
 * The records of a run (format 2): one JSON object per line of records.jsonl, in order of time. Readers map lines of version
 * 0.1.0 to these (earlier.ts). A step is one optimiser step. Steps and epochs count from 0 over the whole run. Times are ISO
 * 8601, UTC.
 */

const step = z.int().min(0).describe('Optimiser step, from 0, over the whole run.');
const epoch = z.int().min(0).describe('Epoch, from 0, over the whole run.');
const group = z
  .nullable(modalitySchema)
  .describe('What the step trained on. Numbers are comparable only within a group. null: the run has no groups.');
const values = z
  .record(z.string(), z.number())
  .describe('All other numbers, keyed as in the catalogue (protocol/records/series.ts).');
const time = z.iso.datetime().describe('Time of writing, UTC.');

export const stepRecordSchema = z.object({
  kind: z.literal('step'),
  step,
  epoch,
  group,
  loss: z.number(),
  values,
  stepMs: z.number().min(0).describe('Duration of the step, excluding the wait for data, ms.'),
  waitMs: z.number().min(0).describe('Wait for data before the step, ms.'),
  rssMiB: z.number().min(0).describe('Resident memory of the trainer, MiB.'),
  time,
});
export type StepRecord = z.infer<typeof stepRecordSchema>;

export const epochRecordSchema = z.object({
  kind: z.literal('epoch'),
  epoch,
  group,
  step: step.describe('Last step of the epoch.'),
  steps: z.int().min(0).describe('Steps in the epoch.'),
  loss: z.number().describe('Mean loss over its steps.'),
  seconds: z.number().min(0),
  values,
  intervals: z
    .record(z.string(), z.tuple([z.number(), z.number()]))
    .optional()
    .describe('95 % intervals of some of the values, [low, high], by bootstrap over the patients of the validation.'),
  warnings: z.array(warningSchema).describe('Signs of a problem, each with advice.'),
  time,
});
export type EpochRecord = z.infer<typeof epochRecordSchema>;

export const eventNames = [
  'start',
  'resume',
  'checkpoint',
  'stop',
  'finish',
  'warning',
  'broken',
  'notice',
  'preview',
  'error',
] as const;
export const eventRecordSchema = z.object({
  kind: z.literal('event'),
  event: z.enum(eventNames),
  message: z.string(),
  step: step.optional().describe('Number of steps done at this event.'),
  epoch: epoch.optional(),
  file: z.string().optional().describe('The checkpoint, preview or image concerned.'),
  code: z.string().optional().describe('ErrorCode of an error.'),
  details: z.record(z.string(), z.json()).optional(),
  time,
});
export type EventRecord = z.infer<typeof eventRecordSchema>;

export const runRecordSchema = z.discriminatedUnion('kind', [stepRecordSchema, epochRecordSchema, eventRecordSchema]);
export type RunRecord = z.infer<typeof runRecordSchema>;

/**
 * The state of a run: `new` (created, never trained), `running` (a living process holds its lock), `stopped` (by the user; can be
 * resumed), `finished`, `failed` (by an error), `interrupted` (its process died without recording why; can be resumed).
 */
export const runStates = ['new', 'running', 'stopped', 'finished', 'failed', 'interrupted'] as const;
export type RunState = (typeof runStates)[number];

/** One line of a list of runs. */
export const runSummarySchema = z.object({
  id: z.string().describe('Name of its folder.'),
  folder: z.string().describe('Absolute path.'),
  name: z.string(),
  task: z.string().describe('Kind of run, as its configuration names it.'),
  state: z.enum(runStates),
  preset: z.string(),
  created: time,
  epoch: epoch.nullable().describe('Latest epoch started.'),
  epochs: z.int().describe('Total number of epochs.'),
  step: step.nullable().describe('Latest recorded step.'),
  loss: z.number().nullable().describe('Its loss.'),
  losses: z
    .object({ '2D': z.number().optional(), '3D': z.number().optional() })
    .describe('The latest loss of each modality: their levels differ. Empty where the run has none.'),
  updated: time.describe('Time of the last record.'),
  from: z
    .string()
    .nullable()
    .default(null)
    .describe('Fine-tuning: absolute path of the weights that it starts with, a run folder or a file. null: none.'),
  score: z
    .object({
      series: z.string().describe('Its key in the catalogue, such as `dice` or `auc`.'),
      value: z.number(),
      epoch,
    })
    .nullable()
    .default(null)
    .describe('Fine-tuning: the latest validation, as far as the end of the records shows it.'),
  experiment: z.string().optional().describe('Name of the experiment that it is part of.'),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

/** versions.json: what the last start of a run used. A resume uses the same executors and threads. */
export const runVersionsSchema = z.object({
  unimiss: z.string(),
  node: z.string(),
  tensorflow: z.string(),
  platform: z.string().describe('Operating system and processor, as `linux-x64`.'),
  device: z.string().describe('Name of the processor or GPU.'),
  executors: z.partialRecord(modalitySchema, z.enum(['graph', 'xla', 'eager'])).describe('Executor of each phase.'),
  threads: z.object({ interOp: z.int().min(1), intraOp: z.int().min(1) }),
});
export type RunVersions = z.infer<typeof runVersionsSchema>;
