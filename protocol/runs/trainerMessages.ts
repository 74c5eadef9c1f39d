import { z } from 'zod';
import { errorDataSchema } from '../daemon/wireError.ts';
import { runProgressSchema } from './runInfo.ts';

/**
 * The control protocol between a daemon and the process that trains a run: lines of JSON over a Unix socket. Both begin with
 * `hello`. The version rises when the other side would misread a changed message. A daemon adopts a trainer that outlived its
 * daemon only if it speaks the trainer's version.
 */
export const controlVersion = 1;

const control = z.int().min(1).describe('The control protocol version of the sender.');

/** The messages of a daemon. */
export const toTrainerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), control, pid: z.int(), version: z.string() }),
  z
    .object({ type: z.literal('stop') })
    .describe('Stop after the current step, with a checkpoint, at the request of a client.'),
  z.object({ type: z.literal('pause') }).describe('Pause after the current step.'),
  z.object({ type: z.literal('continue') }),
  z.object({ type: z.literal('ping'), id: z.int() }),
]);
export type ToTrainer = z.infer<typeof toTrainerSchema>;

/** The messages of a trainer. When it reports a record, the record is on the disk; the daemon reads it there. */
export const fromTrainerSchema = z.discriminatedUnion('type', [
  z
    .object({ type: z.literal('hello'), control, pid: z.int(), run: z.string(), version: z.string() })
    .describe('Its state follows as soon as the daemon has sent `hello` too.'),
  z.object({ type: z.literal('stage'), stage: z.string() }).describe('The current stage of preparation.'),
  z.object({ type: z.literal('progress'), progress: runProgressSchema }),
  z
    .object({ type: z.literal('recorded') })
    .describe('New records are available. One message may stand for several records.'),
  z.object({ type: z.literal('paused'), paused: z.boolean() }).describe('It is paused now, or has continued.'),
  z.object({ type: z.literal('stopping') }).describe('It stops after its current step, whoever requested it.'),
  z.object({ type: z.literal('pong'), id: z.int() }),
  z.object({ type: z.literal('ended'), outcome: z.enum(['finished', 'stopped']) }),
  z.object({ type: z.literal('failed'), error: errorDataSchema }),
]);
export type FromTrainer = z.infer<typeof fromTrainerSchema>;
