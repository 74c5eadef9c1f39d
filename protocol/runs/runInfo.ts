import { z } from 'zod';
import { engineDevices } from '../config/devices.ts';
import { errorDataSchema } from '../daemon/wireError.ts';
import { modalitySchema } from '../modality.ts';
import { runSummarySchema } from '../records/records.ts';

/**
 * What a run of this daemon is doing: `queued` (waits for its device), `starting` (looks for images, opens TensorFlow, compiles),
 * `training`, `paused` (between two steps, still holding its memory), `stopping` (at the next step, with a checkpoint).
 */
export const activities = ['queued', 'starting', 'training', 'paused', 'stopping'] as const;
export type Activity = (typeof activities)[number];

/** The last progress that the trainer reported. */
export const runProgressSchema = z.object({
  step: z.int().min(0).describe('Steps done.'),
  totalSteps: z.int().min(0),
  epoch: z.int().min(0).describe('Epoch, from 0.'),
  totalEpochs: z.int().min(0),
  group: z.nullable(modalitySchema).describe('What the last step trained on. null: the run has no groups.'),
  loss: z.number(),
  values: z.record(z.string(), z.number()).describe('Other numbers of the last step, for a progress line.'),
  secondsLeft: z
    .number()
    .min(0)
    .optional()
    .describe('Estimate. Absent until each remaining group had at least one step.'),
});

/** How the trainer of a run ended, if that was during this daemon's life. */
export const endingSchema = z.object({
  how: z
    .enum(['finished', 'stopped', 'failed', 'killed', 'died'])
    .describe('`failed`: the run reported an error. `killed`: on request. `died`: by an unexpected signal or exit.'),
  message: z.string().describe('One human-readable sentence.'),
  signal: z.string().nullable().describe('The signal that ended the process, such as SIGKILL.'),
  exitCode: z.int().nullable(),
  lastWords: z.string().describe('The last output of the process on standard error.'),
  error: errorDataSchema.optional().describe('The error that the run reported.'),
  time: z.iso.datetime(),
});
export type RunEnding = z.infer<typeof endingSchema>;

/** Everything that a list or a status bar shows about a run. */
export const runInfoSchema = runSummarySchema.extend({
  activity: z.enum(activities).nullable().describe('What this daemon is doing with the run. null: nothing.'),
  owner: z
    .enum(['daemon', 'other'])
    .nullable()
    .describe(
      'Which process trains the run: this daemon, or another one (`unimiss pretrain --foreground`). null: none.',
    ),
  stage: z.string().nullable().describe('While starting: the current stage of preparation.'),
  progress: runProgressSchema.nullable(),
  queue: z.int().min(1).nullable().describe('Position in the queue for its device. 1 is next.'),
  waitsFor: z.array(z.string()).readonly().optional().describe('While queued: the runs and jobs that use its devices.'),
  devices: z
    .array(z.string())
    .readonly()
    .describe(
      'The requested devices: `cpu`, `cuda:0`, … Runs that share a device wait for each other. Empty if the configuration is unreadable.',
    ),
  engineDevice: z
    .enum(engineDevices)
    .optional()
    .describe('`engine.device` of its configuration. Absent if the configuration is unreadable.'),
  ending: endingSchema.nullable(),
});
export type RunInfo = z.infer<typeof runInfoSchema>;

/** A run: the name of its folder in the daemon's runs folder, or its absolute path. */
export const runRef = z
  .string()
  .min(1)
  .max(4096)
  .describe('Name of the run in the folder of runs, or absolute path of its folder.');
