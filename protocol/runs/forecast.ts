import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { errorCodeSchema } from '../daemon/wireError.ts';
import { modalitySchema } from '../modality.ts';
import { runSourceSchema } from './messages.ts';

/** What a run would do, before it starts. */

const basis = z
  .enum(['measured', 'estimated'])
  .describe(
    '`measured`: an earlier run or a measurement on this machine did the same steps. `estimated`: from sizes only.',
  );

export const concernSchema = z.object({
  severity: z.enum(['error', 'warning']).describe('`error`: the run would not start.'),
  code: errorCodeSchema.optional().describe('Of an error: its kind.'),
  field: z.string().describe('Field of the configuration that the remedy changes, keys joined by dots. May be empty.'),
  message: z.string().describe('What is wrong, or looks wrong. A clause without a full stop.'),
  remedy: z.string().optional().describe('What to do. A sentence in the imperative.'),
  fix: z
    .array(z.object({ field: z.string(), value: z.unknown() }))
    .min(1)
    .optional()
    .describe('Fields and new values that settle it. Absent: no change of the configuration does, or it is not known.'),
});
export type Concern = z.infer<typeof concernSchema>;
/** New values of a configuration's fields. */
export type Fix = NonNullable<Concern['fix']>;

export const phaseSchema = z.object({
  group: z.nullable(modalitySchema).describe('What its steps train on. null: the run has no groups.'),
  images: z.int().min(0).nullable().describe('Images or cases in an epoch. null: unknown.'),
  batch: z.int().min(1).nullable().describe('Images per optimiser step. null: unknown.'),
  epochs: z.int().min(0),
  steps: z.int().min(0).describe('Optimiser steps in all its epochs.'),
  secondsPerStep: z
    .object({ seconds: z.number().min(0), basis })
    .nullable()
    .describe('Duration of a step, with the wait for data if it was measured in a run. null: unknown.'),
});
export type Phase = z.infer<typeof phaseSchema>;

/** How many unreadable files an answer names. */
export const namedUnreadable = 100;

export const forecastSchema = z.object({
  task: z.string(),
  name: z.string().describe('Name of the run.'),
  images: z
    .array(z.object({ what: z.string().describe('Such as `2D image`, in the singular.'), count: z.int().min(0) }))
    .describe('Usable images, by kind.'),
  unreadable: z.object({
    count: z.int().min(0),
    first: z
      .array(z.object({ name: z.string(), reason: z.string() }))
      .max(namedUnreadable)
      .describe(`The first ${namedUnreadable}, with reasons.`),
  }),
  skipped: z.int().min(0).describe('Files that are no images.'),
  epochs: z.int().min(0),
  steps: z.int().min(0).describe('Optimiser steps. 0: the run cannot be planned; `concerns` says why.'),
  phases: z.array(phaseSchema),
  device: z.string().describe('Name of the processor or GPU.'),
  time: z
    .object({ seconds: z.number().min(0), basis, from: z.string().describe('What the number is based on.') })
    .nullable()
    .describe('Duration of all steps. null: unknown.'),
  memory: z
    .object({
      bytes: z.number().min(0).describe('Peak of the training process; on a GPU, of its memory.'),
      available: z.number().min(0).nullable().describe('Memory of the machine or the GPU. null: unknown.'),
      basis,
    })
    .nullable(),
  disk: z
    .object({
      bytes: z.number().min(0).describe('Checkpoints at their largest.'),
      available: z.number().min(0),
    })
    .nullable(),
  concerns: z.array(concernSchema).describe('What is wrong or looks wrong. Errors come first.'),
  notices: z.array(z.string()).describe('What is ignored in the configuration, one sentence each.'),
});
export type Forecast = z.infer<typeof forecastSchema>;

export const runForecast = request(
  'unimiss/runs/forecast',
  'Says what a run of a configuration would do, without creating it: images found and unreadable, epochs, steps, time and memory on this machine, and what looks wrong. It reads the headers of the images, loads no TensorFlow, reports progress (`$/progress`) and can be cancelled (`$/cancelRequest`). It fails only if the configuration itself is invalid.',
  {
    params: z.strictObject({
      from: runSourceSchema,
      root: z.string().optional().describe("Folder of runs. Default: the daemon's folder of runs."),
      workDoneToken: z.union([z.string(), z.int()]).optional(),
    }),
    result: forecastSchema,
  },
);
