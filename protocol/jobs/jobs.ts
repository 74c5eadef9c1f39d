import { z } from 'zod';
import { errorDataSchema } from '../daemon/wireError.ts';
import { embed, embedResultSchema, embedTaskSchema } from './embedMessages.ts';
import type { JobType } from './jobRequest.ts';

/**
 * All jobs: what the daemon has done in a process of its own while a client waits for it, because it needs TensorFlow and is no
 * training. A job is a row here and a function of the same name in daemon/runs/jobs/doJob.ts.
 */
export const jobTypes = {
  embed: {
    title: 'Features',
    request: embed,
    task: embedTaskSchema,
    result: embedResultSchema,
    paths: ['data', 'manifest', 'out'],
  },
} as const satisfies Record<string, JobType>;

export type JobName = keyof typeof jobTypes;
export const jobNames = Object.keys(jobTypes) as JobName[];

/** What a job is to do. `run` is the absolute path of a run's folder, and so are all other paths. */
export type JobTask<N extends JobName> = z.output<(typeof jobTypes)[N]['task']>;
export type JobResult<N extends JobName> = z.output<(typeof jobTypes)[N]['result']>;

/** The first message to the process that does a job; the task is checked by its row. */
export const jobSchema = z.object({ name: z.enum(jobNames), task: z.unknown() });
export type Job = z.output<typeof jobSchema>;

/** What such a process says. */
export const fromJobSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), what: z.string(), done: z.int().min(0), total: z.int().min(0) }),
  z.object({ type: z.literal('done'), result: z.unknown() }),
  z.object({ type: z.literal('failed'), error: errorDataSchema }),
]);
export type FromJob = z.output<typeof fromJobSchema>;
