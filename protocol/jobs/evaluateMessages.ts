import { z } from 'zod';
import { conventionNames } from '../evaluation/segmentation.ts';
import { runRef } from '../runs/runInfo.ts';
import { jobRequest } from './jobRequest.ts';

const path = z.string().min(1).max(4096);

/** The labelled cases on which a fine-tuned network is measured. Paths are absolute. */
export const evaluateTaskSchema = z.strictObject({
  run: runRef,
  split: z
    .enum(['test', 'validation'])
    .optional()
    .describe('The cases of the run. Default: `test` if its data set has test cases, else `validation`.'),
  out: path.optional().describe('Folder for the results. Default: `evaluations/SPLIT-STEP` in the run folder.'),
  checkpoint: z.enum(['best', 'last']).default('best'),
  against: runRef
    .nullable()
    .optional()
    .describe(
      'A run to compare with, on the cases that both have. Default: the twin from scratch, or the run of which this one is the twin, if there is one. null: none.',
    ),
  overlap: z.number().min(0).max(0.9).default(0.5),
  mirror: z.boolean().default(false),
  toleranceMm: z.number().positive().max(100).default(2).describe('Tolerance of the normalised surface Dice, mm.'),
  convention: z
    .enum(conventionNames)
    .default('unimiss')
    .describe('Definitions of overlaps and distances: our own, or those of another program.'),
});
export type EvaluateTask = z.output<typeof evaluateTaskSchema>;

export const evaluateResultSchema = z.object({
  folder: z
    .string()
    .describe('Absolute path of the folder with report.html, evaluation.json, cases.csv and classes.csv.'),
  report: z.string(),
  split: z.enum(['test', 'validation']),
  cases: z.int().min(0),
  against: z.string().nullable().describe('Name of the run that it was compared with; null: with none.'),
  words: z.string().describe('What was found and how sure it is, in plain words.'),
  excluded: z.array(z.object({ case: z.string(), reason: z.string() })),
  notices: z.array(z.string()),
});
export type EvaluateResult = z.output<typeof evaluateResultSchema>;

export const evaluate = jobRequest(
  'unimiss/evaluate',
  'Measures a fine-tuned network on labelled cases of its data set.',
  {
    task: evaluateTaskSchema,
    result: evaluateResultSchema,
  },
);
