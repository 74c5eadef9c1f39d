import { z } from 'zod';
import { errorDataSchema } from '../daemon/wireError.ts';
import { runProgressSchema } from './runInfo.ts';

/** What the daemon says to the process that trains a run, over the channel of node's child processes. */
export const toWorkerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('stop') }).describe('Stop at the next step, with a checkpoint.'),
  z.object({ type: z.literal('pause') }),
  z.object({ type: z.literal('continue') }),
  z.object({ type: z.literal('ping'), id: z.int() }),
]);
export type ToWorker = z.infer<typeof toWorkerSchema>;

/** What that process says. What it records is on the disk when it says so; the daemon reads it there. */
export const fromWorkerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), pid: z.int() }).describe('It listens.'),
  z.object({ type: z.literal('stage'), stage: z.string() }).describe('What it prepares.'),
  z.object({ type: z.literal('progress'), progress: runProgressSchema }),
  z.object({ type: z.literal('recorded') }).describe('There are new records; one message may stand for many.'),
  z.object({ type: z.literal('paused'), paused: z.boolean() }),
  z.object({ type: z.literal('pong'), id: z.int() }),
  z.object({ type: z.literal('ended'), outcome: z.enum(['finished', 'stopped']) }),
  z.object({ type: z.literal('failed'), error: errorDataSchema }),
]);
export type FromWorker = z.infer<typeof fromWorkerSchema>;
