import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { runRef } from './runInfo.ts';

const path = z.string().describe('Absolute path.');

const checkpoint = z.object({
  file: path,
  step: z.int().min(0),
  bytes: z.int().min(0),
  score: z
    .object({ series: z.string(), value: z.number() })
    .nullable()
    .describe('The number by which the best checkpoint is chosen. null: it has none.'),
  best: z.boolean(),
  pinned: z.boolean().default(false).describe('Kept until the pin is removed.'),
});

const evaluation = z.object({
  name: z.string().describe('Name of its folder: the split and the step, as `test-2000`.'),
  report: path,
  time: z.iso.datetime(),
});

export const runDetails = request(
  'unimiss/runs/details',
  'Returns what a run has: its newest warnings, its checkpoints, its evaluations, its files.',
  {
    params: z.strictObject({ run: runRef }),
    result: z.object({
      config: path.describe('The configuration as it was given.'),
      log: path,
      warnings: z
        .array(z.object({ message: z.string(), advice: z.string().optional(), step: z.int().min(0) }))
        .describe('Newest first, at most 20.'),
      warningCount: z.int().min(0),
      checkpoints: z.array(checkpoint).describe('Newest first.'),
      evaluations: z.array(evaluation).describe('Newest first.'),
    }),
  },
);
export type Checkpoint = z.output<typeof checkpoint>;
export type RunDetails = z.output<typeof runDetails.result>;

export const runImage = request('unimiss/runs/image', 'Finds the file of an image that the records of a run name.', {
  params: z.strictObject({ run: runRef, image: z.string().min(1).max(4096).describe('Its name in the records.') }),
  result: z.object({ file: path }),
});

export const runReport = request(
  'unimiss/runs/report',
  'Writes what a run recorded into a file: a page with curves and previews, or a table of its steps.',
  {
    params: z.strictObject({
      run: runRef,
      format: z.enum(['html', 'csv', 'csv-epochs']),
      out: z.string().min(1).max(4096).describe('Absolute path of the file.'),
    }),
    result: z.object({ file: path, notices: z.array(z.string()) }),
  },
);

export const runExport = request(
  'unimiss/runs/export',
  'Writes the weights of a run for others into a new folder: safetensors, a plan for adapting them, a model card, a loader for PyTorch.',
  {
    params: z.strictObject({
      run: runRef,
      out: z.string().min(1).max(4096).describe('Absolute path of a folder that is empty or does not exist.'),
      network: z
        .enum(['student', 'teacher'])
        .default('student')
        .describe('Which network of a pre-training. A fine-tuning has one.'),
      checkpoint: z
        .union([z.enum(['best', 'last']), z.int().min(0)])
        .optional()
        .describe('A number: the one of this step. Default: `last` of a pre-training, `best` of a fine-tuning.'),
    }),
    result: z.object({
      folder: path,
      step: z.int().min(0).describe('Training steps of the checkpoint.'),
      parameters: z.int().min(0).describe('Numbers in the weights.'),
      notices: z.array(z.string()),
    }),
  },
);
