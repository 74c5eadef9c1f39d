import { z } from 'zod';
import { errorDataSchema } from '../daemon/wireError.ts';
import { modalitySchema } from '../modality.ts';
import { runSummarySchema } from '../records/records.ts';

/**
 * What the daemon does with a run now: `queued` (waits for its device), `starting` (looks for images, opens TensorFlow,
 * compiles), `training`, `paused` (between two steps, its memory still held), `stopping` (at the next step, with a checkpoint).
 */
export const activities = ['queued', 'starting', 'training', 'paused', 'stopping'] as const;
export type Activity = (typeof activities)[number];

/** Where a run stands, as the trainer last said. */
export const runProgressSchema = z.object({
  step: z.int().min(0).describe('Steps done.'),
  totalSteps: z.int().min(0),
  epoch: z.int().min(0).describe('Epoch, from 0.'),
  totalEpochs: z.int().min(0),
  group: z.nullable(modalitySchema).describe('What the last step was trained on; null: the run has no groups.'),
  loss: z.number(),
  values: z.record(z.string(), z.number()).describe('Other numbers of the last step that a line of progress shows.'),
  secondsLeft: z.number().min(0).optional().describe('Estimate; absent until a step of each group to come was seen.'),
});

/** How the trainer of a run ended, where it did so in this daemon's life. */
export const endingSchema = z.object({
  how: z
    .enum(['finished', 'stopped', 'failed', 'killed', 'died'])
    .describe(
      '`failed`: by an error that it told; `killed`: on request; `died`: by a signal or exit that nobody asked for.',
    ),
  message: z.string().describe('One sentence for people.'),
  signal: z.string().nullable().describe('The signal that ended the process, as SIGKILL.'),
  exitCode: z.int().nullable(),
  lastWords: z.string().describe('The end of what the process wrote to standard error.'),
  error: errorDataSchema.optional().describe('The error that it told.'),
  time: z.iso.datetime(),
});
export type RunEnding = z.infer<typeof endingSchema>;

/** All that a list or a status bar shows of a run. */
export const runInfoSchema = runSummarySchema.extend({
  activity: z.enum(activities).nullable().describe('What this daemon does with it now; null: nothing.'),
  owner: z
    .enum(['daemon', 'other'])
    .nullable()
    .describe('Who trains it: this daemon, or another process (`unimiss pretrain --foreground`); null: nobody.'),
  stage: z.string().nullable().describe('While it is starting: what is being prepared.'),
  progress: runProgressSchema.nullable(),
  queue: z.int().min(1).nullable().describe('Its place among those that wait for the same device; 1 is next.'),
  device: z.string().describe('What it asks for: `cpu`, `cuda:0`, …: runs on one device wait for each other.'),
  ending: endingSchema.nullable(),
});
export type RunInfo = z.infer<typeof runInfoSchema>;

/** A run by the name of its folder in the daemon's runs folder, or by its absolute path. */
export const runRef = z
  .string()
  .min(1)
  .max(4096)
  .describe('Name of the run in the runs folder, or absolute path of its folder.');
