import { z } from 'zod';
import { errorDataSchema } from '../daemon/wireError.ts';
import { embedTaskSchema } from './embedMessages.ts';

/** What the daemon has done in a process of its own while a client waits for it: what needs TensorFlow and is no training. */
export const jobSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('embed'), task: embedTaskSchema }).describe('`run` is the absolute path of its folder.'),
]);
export type Job = z.output<typeof jobSchema>;

/** What such a process says. */
export const fromJobSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), what: z.string(), done: z.int().min(0), total: z.int().min(0) }),
  z.object({ type: z.literal('done'), result: z.unknown() }),
  z.object({ type: z.literal('failed'), error: errorDataSchema }),
]);
export type FromJob = z.output<typeof fromJobSchema>;
