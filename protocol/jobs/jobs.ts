import { z } from 'zod';
import { errorDataSchema } from '../daemon/wireError.ts';
import { embed, embedResultSchema, embedTaskSchema } from './embedMessages.ts';
import { evaluate, evaluateResultSchema, evaluateTaskSchema } from './evaluateMessages.ts';
import type { JobType } from './jobRequest.ts';
import {
  attend,
  attendResultSchema,
  attendTaskSchema,
  neighbours,
  neighboursResultSchema,
  neighboursTaskSchema,
} from './lookMessages.ts';
import { predict, predictResultSchema, predictTaskSchema } from './predictMessages.ts';

/**
 * All jobs. A job is work that needs TensorFlow but is no training: the daemon runs it in a separate process while a client
 * waits. A job is a row here and a function of the same name in daemon/runs/jobs/doJob.ts.
 */
export const jobTypes = {
  embed: {
    title: 'Features',
    request: embed,
    task: embedTaskSchema,
    result: embedResultSchema,
    paths: ['data', 'manifest', 'out'],
  },
  attend: {
    title: 'Attention',
    request: attend,
    task: attendTaskSchema,
    result: attendResultSchema,
    paths: ['image', 'out'],
  },
  neighbours: {
    title: 'Similar images',
    request: neighbours,
    task: neighboursTaskSchema,
    result: neighboursResultSchema,
    paths: ['image'],
  },
  predict: {
    title: 'Prediction',
    request: predict,
    task: predictTaskSchema,
    result: predictResultSchema,
    paths: ['input', 'out', 'growing'],
    temporary: ['growing'],
    runs: ['folds'],
    exports: true,
  },
  evaluate: {
    title: 'Evaluation',
    request: evaluate,
    task: evaluateTaskSchema,
    result: evaluateResultSchema,
    paths: ['out'],
  },
} as const satisfies Record<string, JobType>;

export type JobName = keyof typeof jobTypes;
export const jobNames = Object.keys(jobTypes) as JobName[];

/** The input of a job. `run` is the absolute path of a run's folder; all other paths are absolute too. */
export type JobTask<N extends JobName> = z.output<(typeof jobTypes)[N]['task']>;
export type JobResult<N extends JobName> = z.output<(typeof jobTypes)[N]['result']>;

/** The first message to the process of a job; the row of the job checks the task. */
export const jobSchema = z.object({
  name: z.enum(jobNames),
  task: z.unknown(),
  /** Whether the process then waits for another job, with all that it has loaded. It ends after a job that fails. */
  stays: z.boolean().optional(),
});
export type Job = z.output<typeof jobSchema>;

/** The messages from the process of a job. */
export const fromJobSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), what: z.string(), done: z.int().min(0), total: z.int().min(0) }),
  z.object({ type: z.literal('done'), result: z.unknown() }),
  z.object({ type: z.literal('failed'), error: errorDataSchema }),
]);
export type FromJob = z.output<typeof fromJobSchema>;
