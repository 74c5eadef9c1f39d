import { z } from 'zod';
import { featureKinds } from '../jobs/embedMessages.ts';
import { type Modality, modalities } from '../modality.ts';

/** An experiment that compares arms of pre-training: what a `*.experiment.jsonc` file says. It is fixed before its first run. */

const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$/,
    'at most 24 letters, digits, ".", "_" and "-", beginning with a letter or digit',
  );

/** What arms are measured by. */
export const measures = ['probe', 'classification', 'segmentation'] as const;
export type Measure = (typeof measures)[number];
/** Those for which networks are fine-tuned. */
export const fineTuned = ['classification', 'segmentation'] as const;
export type FineTuned = (typeof fineTuned)[number];

/** Baselines of the linear probe: a network with random weights, and intensities without arrangement. */
export const baselines = ['random', 'histogram', 'moments'] as const;
/** The arm of fine-tuning without pre-trained weights. */
export const scratch = 'scratch';

/** Refuses what is named twice: a repeated seed would count as another training. */
function distinct<Item extends z.ZodType>(items: z.ZodArray<Item>) {
  return items.refine((given) => new Set(given).size === given.length, 'each only once');
}

const question = z
  .strictObject({
    task: z.enum(measures).optional().describe('What is measured; one of `tasks`. Default: `probe`.'),
    modality: z.enum(modalities).describe('The images on which the arms are measured.'),
    labels: z.int().min(1).describe('Labels of each class; one of `labels`.'),
    better: name.describe('The arm that is supposed to be better.'),
    than: name.describe(
      'The other arm, or a baseline: `random`, `histogram` or `moments` of the probe, `scratch` of fine-tuning.',
    ),
    margin: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('0: is it better? Above 0: is it not worse by more than this?'),
  })
  .describe('A question that is fixed beforehand.');
export type Question = z.output<typeof question>;

const change = z.record(z.string(), z.unknown());

/** Parts of a recipe, from the most general to the most special. */
export const recipeParts = [
  'all',
  ...modalities,
  ...fineTuned,
  ...fineTuned.flatMap((task) => modalities.map((modality) => `${task}-${modality}` as const)),
] as const;

const fineTuning = z
  .strictObject({
    manifest: z
      .string()
      .min(1)
      .describe(
        'Labelled images of other patients than `test` has: a manifest with labels, and for segmentation with label maps.',
      ),
    recipe: z
      .partialRecord(z.enum(recipeParts), change)
      .default({})
      .describe(
        'Settings of fine-tuning (docs/configuration.md), the same for all arms: of `all`, of a modality, of a task, or of both. The more special part wins. `start.from`, data and seed are set by the experiment.',
      ),
    validation: z
      .int()
      .min(1)
      .default(1)
      .describe('Further images of each class on which each run is validated. They are not trained on.'),
    checkpoint: z
      .enum(['last', 'best'])
      .default('last')
      .describe('The checkpoint that is tested. `best` chooses by the validation images: these are labels too.'),
    only: z
      .literal('questions')
      .optional()
      .describe(
        '`questions`: fine-tune only what a question compares, by its arms, task, images and labels. Default: all arms for all tasks, images and labels.',
      ),
    structures: z
      .partialRecord(z.enum(modalities), z.record(z.string(), z.int().min(0)))
      .default({})
      .describe('Names of the values in label maps. Without them, the maps are read to find the values.'),
  })
  .describe('What networks are fine-tuned on.');

const arms = z.record(name, change);

const phantoms = z
  .strictObject({
    seed: z.int().min(0).describe('The same seed draws the same patients.'),
    volumes: z.int().min(0).describe('Number of volumes; the conditions alternate.'),
    images: z.int().min(0).describe('Number of projections.'),
    slices: z.int().min(8).optional().describe('Slices of a volume. Default: 24.'),
    plane: z.int().min(8).optional().describe('Height and width of a volume. Default: 176.'),
    pixels: z.int().min(8).optional().describe('Height and width of a projection. Default: 192.'),
    only: z
      .partialRecord(z.enum(modalities), z.array(z.string()).min(1))
      .optional()
      .describe('The conditions that volumes or projections have. Default: all.'),
  })
  .describe('Made-up patients, as `unimiss phantoms` draws them.');
export type Phantoms = z.output<typeof phantoms>;

export const experimentSchema = z.strictObject({
  name: name.describe('Its runs are called NAME-ARM-sSEED.'),
  phantoms: z
    .record(z.string().min(1), phantoms)
    .optional()
    .describe('Folders of phantoms that are drawn before the first run. Manifests may be in them.'),
  base: z
    .record(z.string(), z.unknown())
    .describe(
      'A configuration of pre-training, without name and seed. Relative paths start at the folder of this file.',
    ),
  arms: arms
    .refine((given) => Object.keys(given).length > 0, 'at least one arm')
    .refine(
      (given) => ![...baselines, scratch].some((reserved) => Object.hasOwn(given, reserved)),
      `no arm is called ${baselines.join(', ')} or ${scratch}: these are measured anyway`,
    )
    .describe('What each arm changes in `base`. An empty object: nothing.'),
  match: z
    .enum(['steps', 'compute'])
    .optional()
    .describe(
      '`steps`: arms train as long as they say. `compute`: the arms in `compute` train until they have used the measured time of others. Default: `steps`.',
    ),
  compute: z
    .record(name, z.array(name).min(1))
    .optional()
    .describe(
      'Arm: the arms whose summed time it gets, which train as long as they say. Default: each arm but the first gets the time of the first.',
    ),
  seeds: distinct(z.array(z.int().min(0)).min(1)).describe('Seeds of training, one run of each arm for each.'),
  test: z
    .strictObject({ manifest: z.string().min(1) })
    .describe('Labelled images that no arm trains on: a manifest with labels.'),
  tasks: distinct(z.array(z.enum(measures)).min(1))
    .optional()
    .describe(
      'What is measured. `probe`: accuracy of a linear classifier on frozen features. `classification`, `segmentation`: accuracy and Dice of the fine-tuned network. Default: `probe`.',
    ),
  features: z
    .enum(featureKinds)
    .optional()
    .describe(
      "What the probe reads. `decoder`: the decoder's class token, which pre-training compares. `encoder`: what fine-tuning for classification reads, the class token of the encoder's last stage and the mean of its patches. Default: `decoder`.",
    ),
  fineTuning: fineTuning.optional(),
  labels: distinct(z.array(z.int().min(1)).min(1))
    .default([1, 4, 16])
    .describe('Labels of each class that the linear probe gets, and fine-tuning.'),
  draws: z
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe('How often the labels of the probe are drawn. All arms get the same draws.'),
  primary: question,
  secondary: z.array(question).default([]),
  resamples: z.int().min(100).max(100_000).default(2000).describe('Resamples of the bootstrap.'),
});
export type Experiment = z.output<typeof experimentSchema>;

export function tasksOf({ tasks }: Pick<Experiment, 'tasks'>): readonly Measure[] {
  return tasks ?? ['probe'];
}

export function taskOf({ task }: Pick<Question, 'task'>): Measure {
  return task ?? 'probe';
}

/** What is compared by a task: the arms, and what they must beat. */
export function armsOf({ arms }: Pick<Experiment, 'arms'>, task: Measure): readonly string[] {
  return [...Object.keys(arms), ...(task === 'probe' ? baselines : [scratch])];
}

/** The arms that are matched by compute, with those whose summed time each gets; undefined: arms are matched by steps. */
export function matchedArms({
  match,
  compute,
  arms,
}: Pick<Experiment, 'match' | 'compute' | 'arms'>): Readonly<Record<string, readonly string[]>> | undefined {
  if (match !== 'compute') return undefined;
  const [first, ...others] = Object.keys(arms);
  return compute ?? (first === undefined ? {} : Object.fromEntries(others.map((arm) => [arm, [first]])));
}

/** `2D, 4 labels a class, fine-tuned classification` */
export function describeMeasure(task: Measure, modality: Modality, labels: number): string {
  const what = { probe: 'linear probe', classification: 'fine-tuned classification', segmentation: 'segmentation' };
  return `${modality}, ${labels} label${labels === 1 ? '' : 's'} a class, ${what[task]}`;
}

/** The number by which a task measures. */
export const scoreNames: Readonly<Record<Measure, string>> = {
  probe: 'Accuracy of a linear probe',
  classification: 'Accuracy after fine-tuning',
  segmentation: 'Dice after fine-tuning',
};
