import { z } from 'zod';
import { presetNames } from '../pretrain/presets.ts';
import { nameOf, path, schemaField, share, sharedFields, size, stages, volumeNumber } from '../shared.ts';
import { augment } from './augment.ts';
import { train } from './trainSchema.ts';

/** The configuration of a fine-tuning run: what a `*.unimiss.jsonc` file with `"task": "finetune"` may say, with defaults. */

/** The layout of a labelled data set in its folder. */
export const layouts = ['auto', 'nnunet', 'decathlon', 'pairs', 'table', 'classFolders'] as const;

const data = z
  .strictObject({
    path: path.describe(
      'Data set: its folder, or a CSV or TSV table. Relative paths start at the folder of this file.',
    ),
    layout: z
      .enum(layouts)
      .default('auto')
      .describe(
        'How the files are arranged. `nnunet`: `imagesTr`, `labelsTr`, `dataset.json`. `decathlon`: Medical Segmentation Decathlon. `pairs`: a folder of images and one of masks. `table`: a CSV or TSV file. `classFolders`: one folder per class. `auto`: detected. See docs/datasets.md.',
      ),
    volume: volumeNumber.describe(
      'Number of the volume that is taken from image files with several (4-D), from 0. null: such files are refused.',
    ),
    split: path
      .nullable()
      .default(null)
      .describe('File with the split into training, validation and test cases. null: made from `folds` and `seed`.'),
    folds: z
      .int()
      .min(2)
      .max(100)
      .default(5)
      .describe('Number of folds into which the training cases are divided by patient. One fold is for validation.'),
    fold: z
      .union([z.int().min(0).max(99), z.literal('all')])
      .default(0)
      .describe(
        'The fold for validation, from 0. `all`: train on all cases and validate on the same ones; the numbers then show memory, not skill.',
      ),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe('Seed of the division into folds. Use the same for runs that you compare.'),
    cache: path
      .optional()
      .describe(
        'Folder for preprocessed images. They are kept between runs. Above 100 GiB, a run removes the least recently used ones, but never its own. Default: the folder `preprocessed` in the UniMiSS cache, which is `~/.cache/unimiss` or the folder in `UNIMISS_CACHE`.',
      ),
    workers: z
      .int()
      .min(0)
      .max(256)
      .default(1)
      .describe(
        'Number of threads that preprocess and augment images. 0: the trainer does it itself. It does not change the images.',
      ),
  })
  .describe('The labelled images.');

const millimeters = z.number().positive().max(1000);

export const normalization = z.discriminatedUnion('scheme', [
  z
    .strictObject({
      scheme: z.literal('clip'),
      range: z.tuple([z.number(), z.number()]),
      mean: z.number(),
      deviation: z.number().positive(),
    })
    .describe('Clip to `range`, subtract `mean`, divide by `deviation`. For CT.'),
  z
    .strictObject({ scheme: z.literal('zScore') })
    .describe("Subtract each image's mean, divide by its deviation. For MR."),
  z
    .strictObject({ scheme: z.literal('range') })
    .describe('Map the smallest value of each image to 0 and the largest to 1.'),
  z
    .strictObject({ scheme: z.literal('divide'), by: z.number().positive() })
    .describe('Divide by `by`: 255 for 8-bit images.'),
]);
export type Normalization = z.output<typeof normalization>;

export const channel = z.strictObject({
  name: z.string().min(1).max(64).describe('Name, for example `CT`, `T1` or `red`.'),
  normalization,
});
/** A channel of an image, and how its values are normalised. */
export type Channel = z.output<typeof channel>;

const plan = z
  .strictObject({
    spacing: z
      .union([z.tuple([millimeters, millimeters]), z.tuple([millimeters, millimeters, millimeters])])
      .nullable()
      .default(null)
      .describe(
        'Voxel spacing for the network, in mm: [between slices, x, y]. Images are resampled to it. null: images stay as they are stored. Use null in 2D.',
      )
      .meta({ source: 'nnU-Net (Isensee et al. 2021), methods' }),
    patch: z
      .union([z.tuple([size, size]), z.tuple([size, size, size])])
      .optional()
      .describe(
        'Size of what the network sees: [slices, height, width] or [height, width]. Slices must be a multiple of 16, height and width multiples of 32. Default: segmentation 48×192×192, classification 64×128×128, 2D 224×224.',
      ),
    fit: z
      .enum(['crop', 'resize'])
      .optional()
      .describe(
        'How an image becomes a patch. `crop`: a part of it, padded where it is too small. `resize`: the whole image, resized. Default: 3D segmentation `crop`, others `resize`.',
      ),
    channels: z
      .array(channel)
      .min(1)
      .max(16)
      .optional()
      .describe(
        'Channels of an image and how their values are normalised. Default: one CT channel in 3D ([−1024, 325] HU, mean −158.58, deviation 324.70); three channels divided by 255 in 2D.',
      ),
  })
  .describe('What `unimiss plan` derives from the data set.');

const model = z
  .strictObject({
    preset: z
      .enum(presetNames)
      .default('tiny')
      .describe('Size of the encoder: `nano` for demonstrations and tests, `tiny` and `small` as in the paper.')
      .meta({ source: 'UniMiSS (Xie et al. 2022), architecture of MiT' }),
    stages,
    dropPath: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'Probability of skipping a residual branch of the encoder (stochastic depth). Grows linearly from 0 at the first block to this value at the last.',
      )
      .meta({ source: 'Huang et al. 2016, section 3' }),
  })
  .describe('The network.');

const start = z
  .strictObject({
    from: path
      .nullable()
      .default(null)
      .describe(
        'Pre-trained weights: a run folder, a .safetensors file or a .pth file of the reference implementation. null: random weights, from scratch.',
      ),
    network: z
      .enum(['student', 'teacher'])
      .default('student')
      .describe('Which of the two networks of a pre-training checkpoint to take.'),
    minimumShare: share
      .default(0.5)
      .describe(
        "Smallest share of the encoder's parameters that the weights must provide, taken or resized. With less, the run fails.",
      ),
    positions: z
      .enum(['perAxis', 'reference'])
      .default('perAxis')
      .describe(
        'How position embeddings are resized to the patch. `perAxis`: along each axis. `reference`: along the flattened tokens, as the reference implementation does.',
      ),
    stem: z
      .enum(['divided', 'repeated'])
      .default('divided')
      .describe(
        'How the weights of a one-channel stem serve several channels. `divided`: repeated and divided by their number. `repeated`: not divided, as in the reference implementation.',
      )
      .meta({ source: 'the reference implementation of UniMiSS' }),
    twinOf: z
      .string()
      .nullable()
      .default(null)
      .describe(
        'Name of the run whose twin from scratch this run is, so that an evaluation compares them. `unimiss finetune --from-scratch-twin` sets it.',
      ),
  })
  .describe('The initial weights.');

export const finetuneSchema = z.strictObject({
  $schema: schemaField,
  task: z.literal('finetune').describe('Kind of run.'),
  name: nameOf('finetune'),
  problem: z.enum(['segmentation', 'classification']).describe('What the network learns.'),
  modality: z.enum(['2D', '3D']).describe('Pictures or volumes.'),
  labels: z
    .enum(['exclusive', 'overlapping'])
    .default('exclusive')
    .describe(
      '`exclusive`: one class per voxel or image (softmax). `overlapping`: several at once are possible (sigmoid).',
    ),
  data,
  plan: plan.prefault({}),
  model: model.prefault({}),
  start: start.prefault({}),
  train: train.prefault({}),
  augment: augment.prefault({}),
  ...sharedFields,
});

/** A configuration as a user writes it. */
export type FinetuneInput = z.input<typeof finetuneSchema>;
/** A configuration with defaults, before those of its problem and paths are made explicit (resolve.ts). */
export type FinetuneGiven = z.output<typeof finetuneSchema>;
