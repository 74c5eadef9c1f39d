import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { layouts } from './finetune/schema.ts';
import { volumeNumber } from './shared.ts';

const finding = z.object({
  severity: z.enum(['error', 'warning']).describe('`error`: the case cannot be used.'),
  kind: z.string(),
  place: z.string().describe('Absolute path of the file, or `file:line` of a table.'),
  what: z.string().describe('What is wrong: a clause whose subject is the place.'),
  remedy: z.string(),
});
export type PlanFinding = z.output<typeof finding>;

export const dataPlan = request(
  'unimiss/data/plan',
  'Checks a labelled data set and returns a configuration for fine-tuning on it, with everything that is wrong with the data. Reports progress (`$/progress`) and can be cancelled (`$/cancelRequest`).',
  {
    params: z.strictObject({
      path: z.string().min(1).max(4096).describe('Absolute path of the folder, or of its CSV or TSV table.'),
      layout: z.enum(layouts).default('auto').describe('How the files are arranged. `auto`: detected.'),
      volume: volumeNumber.describe(
        'Number of the volume to take from files with several (4-D), from 0. null: such files are findings.',
      ),
      preset: z.string().optional().describe('Name of the settings for a public data set, for example `bcv`.'),
      folds: z.int().min(2).max(100).default(5),
      seed: z
        .int()
        .min(0)
        .max(2 ** 32 - 1)
        .default(0)
        .describe('Seed of the division into folds.'),
      workDoneToken: z.union([z.string(), z.int()]).optional(),
    }),
    result: z.object({
      text: z.string().describe('A `*.unimiss.jsonc` file with comments.'),
      about: z.string().describe('What the data set is, in one line.'),
      tight: z.boolean().describe('Whether even the smallest patch may not fit into the memory of this machine.'),
      findings: z.array(finding).describe('The errors first.'),
    }),
  },
);
