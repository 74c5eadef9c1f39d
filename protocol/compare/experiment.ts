import { z } from 'zod';
import { modalities } from '../modality.ts';

/** An experiment that compares arms of pre-training: what a `*.experiment.jsonc` file says. It is fixed before its first run. */

const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$/,
    'at most 24 letters, digits, ".", "_" and "-", beginning with a letter or digit',
  );

const question = z
  .strictObject({
    modality: z.enum(modalities).describe('The images on which the arms are measured.'),
    labels: z.int().min(1).describe('Labels of each class; one of `labels`.'),
    better: name.describe('The arm that is supposed to be better.'),
    than: name.describe('The other arm, or a baseline: `random`, `histogram` or `moments`.'),
    margin: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('0: is it better? Above 0: is it not worse by more than this?'),
  })
  .describe('A question that is fixed beforehand.');
export type Question = z.output<typeof question>;

/** Baselines that are measured in every experiment: a network with random weights, and intensities without arrangement. */
export const baselines = ['random', 'histogram', 'moments'] as const;

export const experimentSchema = z.strictObject({
  name: name.describe('Its runs are called NAME-ARM-sSEED.'),
  base: z
    .record(z.string(), z.unknown())
    .describe(
      'A configuration of pre-training, without name and seed. Relative paths start at the folder of this file.',
    ),
  arms: z
    .record(name, z.record(z.string(), z.unknown()))
    .refine((arms) => Object.keys(arms).length > 0, 'at least one arm')
    .refine(
      (arms) => !Object.keys(arms).some((arm) => (baselines as readonly string[]).includes(arm)),
      `no arm is called ${baselines.join(', ')}`,
    )
    .describe('What each arm changes in `base`. An empty object: nothing.'),
  seeds: z.array(z.int().min(0)).min(1).describe('Seeds of training, one run of each arm for each.'),
  test: z
    .strictObject({ manifest: z.string().min(1) })
    .describe('Labelled images that no arm trains on: a manifest with labels.'),
  labels: z
    .array(z.int().min(1))
    .min(1)
    .default([1, 4, 16])
    .describe('Labels of each class that the linear probe gets.'),
  draws: z
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe('How often these labels are drawn. All arms get the same draws.'),
  primary: question,
  secondary: z.array(question).default([]),
  resamples: z.int().min(100).max(100_000).default(2000).describe('Resamples of the bootstrap.'),
});
export type Experiment = z.output<typeof experimentSchema>;
