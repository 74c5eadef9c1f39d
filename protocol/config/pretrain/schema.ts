import { z } from 'zod';
import { nameOf, path, range, schemaField, share, sharedFields, size, stages, width } from '../shared.ts';
import { presetNames } from './presets.ts';

/** The configuration of a pre-training run: what a `*.unimiss.jsonc` file without `task` may say, with defaults. */

const data = z
  .strictObject({
    paths: z
      .union([path, z.array(path).min(1)])
      .optional()
      .describe(
        'Folder or image file, or a list of them. UniMiSS searches folders at any depth for NIfTI, NRRD, MetaImage, DICOM, PNG and JPEG files, and detects from each file whether it is 2D or 3D. Relative paths start at the folder of this file.',
      ),
    manifest: path
      .optional()
      .describe('Text file that lists the images, instead of `paths`. Relative paths in it start at its own folder.'),
    modalities: z
      .enum(['auto', 'both', '2D', '3D'])
      .default('auto')
      .describe(
        'Which images to train on. `auto`: all images found, alternating between 2D and 3D if both exist. `both`: as `auto`, but fails if either is missing. `2D` or `3D`: only these.',
      )
      .meta({ source: 'UniMiSS (Xie et al. 2022), pre-training' }),
    balance: z
      .enum(['all', 'equal'])
      .default('all')
      .describe(
        'Length of an epoch. `all`: every image of the phase once, as in the paper; the larger set gets more steps. `equal`: both phases use as many images per epoch as the smaller set has; the larger set draws different images each epoch.',
      ),
    resample: z
      .boolean()
      .default(true)
      .describe('Resample volumes on reading if their voxel spacing is far from `spacing`.'),
    spacing: z
      .tuple([z.number().positive(), z.number().positive(), z.number().positive()])
      .default([3, 1, 1])
      .describe('Target voxel spacing for resampling, in mm: [between slices, x, y].'),
    cache: z
      .union([path, z.literal(false)])
      .optional()
      .describe(
        'Folder that keeps resampled volumes between epochs and runs. `false`: resample at every read. Default: the folder `volumes` in the UniMiSS cache, which is `~/.cache/unimiss` or the folder in `UNIMISS_CACHE`.',
      ),
    maxBroken: share
      .default(0.05)
      .describe(
        'Largest fraction of broken images before the run stops. Each broken image is reported. 0: stop at the first one.',
      ),
    workers: z
      .int()
      .min(0)
      .max(256)
      .default(1)
      .describe(
        'Number of threads that read images and make views. 0: the trainer does it itself. Raise it if the records show waiting (`waitMs`). It does not change the views.',
      ),
  })
  .describe('The images.');

const model = z
  .strictObject({
    preset: z
      .enum(presetNames)
      .default('tiny')
      .describe(
        'Size of the network MiT: `nano` for demonstrations and tests, `tiny` (20 M parameters) and `small` (44 M) as in the paper. It also sets the defaults of the view sizes and the head.',
      )
      .meta({ source: 'UniMiSS (Xie et al. 2022), architecture of MiT' }),
    stages,
    size2D: z
      .tuple([size, size])
      .optional()
      .describe('Size of 2D views: [height, width] in pixels, multiples of 32. Default: 224×224 (`nano`: 64×64).')
      .meta({ source: 'UniMiSS (Xie et al. 2022), pre-training' }),
    size3D: z
      .tuple([size, size, size])
      .optional()
      .describe(
        'Size of 3D views: [slices, height, width] in voxels. Slices must be a multiple of 16, height and width multiples of 32. Default: 16×96×96 (`nano`: 16×64×64).',
      )
      .meta({ source: 'UniMiSS (Xie et al. 2022), pre-training' }),
    dropPath: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'Probability of skipping a residual branch in the student (stochastic depth). Grows linearly from 0 at the first block to this value at the last. The published weights were trained with 0.',
      )
      .meta({ source: 'Huang et al. 2016, section 3' }),
    head: z
      .strictObject({
        hidden: width.max(65536).optional().describe('Width of the two hidden layers. Default: 2048 (`nano`: 256).'),
        bottleneck: width.max(65536).optional().describe('Width before the last layer. Default: 256 (`nano`: 64).'),
        outDim: width
          .max(1 << 20)
          .optional()
          .describe('Number of outputs on which student and teacher are compared. Default: 65536 (`nano`: 1024).'),
      })
      .prefault({})
      .describe('The projection head. Pre-training only.')
      .meta({ source: 'DINO (Caron et al. 2021), section 3.1' }),
  })
  .describe('The network.');

/** One value for both phases, or one for each. */
const byPhase = <T extends z.ZodType>(value: T) => z.union([value, z.strictObject({ '2D': value, '3D': value })]);

const train = z
  .strictObject({
    epochs: z
      .int()
      .min(1)
      .max(100_000)
      .default(200)
      .describe('Total number of epochs. Each 2D and each 3D epoch counts as one.')
      .meta({ source: 'the reference implementation of UniMiSS' }),
    interval: z
      .int()
      .min(1)
      .default(2)
      .describe(
        'Number of 2D epochs before switching to the same number of 3D epochs, and so on. Has no effect if only one of them exists.',
      )
      .meta({ source: 'UniMiSS (Xie et al. 2022), pre-training' }),
    batch: z
      .strictObject({
        '2D': z.int().min(1).max(65536).default(8).describe('Images per batch in 2D epochs.'),
        '3D': z
          .int()
          .min(1)
          .max(65536)
          .default(8)
          .describe('Volumes per batch in 3D epochs. Each also contributes its slices.'),
      })
      .prefault({})
      .describe(
        'Images in memory at once. The paper uses 24 on each of 8 GPUs. If memory runs out, halve it and double `accumulate`.',
      )
      .meta({ source: 'the reference implementation of UniMiSS' }),
    accumulate: z
      .int()
      .min(1)
      .max(4096)
      .default(1)
      .describe(
        'Number of batches whose gradients accumulate before each optimiser step. The total batch is batch × accumulate.',
      ),
    stepsPerEpoch: byPhase(z.int().min(1).nullable())
      .default(null)
      .describe(
        'Maximum number of optimiser steps per epoch: one number, or one each for `2D` and `3D`. null: no limit, so each epoch uses all its images.',
      ),
    lr: byPhase(z.number().positive().max(1))
      .default(8e-4)
      .describe(
        'Peak learning rate for a total batch of 256: one number, or one each for `2D` and `3D`. It is scaled by total batch / 256.',
      )
      .meta({ source: 'the reference implementation of UniMiSS' }),
    finalLr: z
      .number()
      .min(0)
      .max(1)
      .default(1e-6)
      .describe('Learning rate at the end of the cosine schedule. It is not scaled.')
      .meta({ source: 'the reference implementation of UniMiSS' }),
    warmupEpochs: z
      .number()
      .min(0)
      .default(10)
      .describe('Number of epochs in which the learning rate rises linearly from 0. Short runs shorten it.')
      .meta({ source: 'the reference implementation of UniMiSS' }),
    weightDecay: z
      .tuple([z.number().min(0).max(10), z.number().min(0).max(10)])
      .default([0.04, 0.4])
      .describe(
        'Decoupled weight decay [at the start, at the end], on a cosine schedule. Biases and norms are not decayed.',
      )
      .meta({ source: 'DINO (Caron et al. 2021), section 3.2' }),
    momentum: z
      .tuple([share, share])
      .default([0.996, 1])
      .describe(
        'Momentum of the teacher (the fraction it keeps at each step) [at the start, at the end], on a cosine schedule. Lower it (0.99) for short runs: otherwise the teacher hardly changes.',
      )
      .meta({ source: 'DINO (Caron et al. 2021), section 3.1' }),
    teacherTemperature: z
      .strictObject({
        value: z
          .number()
          .positive()
          .max(10)
          .default(0.04)
          .describe(
            'Temperature of the softmax. Lower is sharper. Raise it if the loss does not fall; lower it if the output becomes uniform.',
          ),
        start: z
          .number()
          .positive()
          .max(10)
          .nullable()
          .default(null)
          .describe('Start of a linear warm-up to `value`. null: no warm-up.'),
        warmupEpochs: z.number().min(0).default(0).describe('Number of warm-up epochs.'),
      })
      .prefault({})
      .describe("The teacher's temperature.")
      .meta({ source: 'DINO (Caron et al. 2021), section 3.2' }),
    studentTemperature: z
      .number()
      .positive()
      .max(10)
      .default(0.1)
      .describe("Temperature of the student's softmax.")
      .meta({ source: 'DINO (Caron et al. 2021), section 3.2' }),
    clipGradient: z
      .number()
      .positive()
      .nullable()
      .default(0.3)
      .describe("Maximum norm of each parameter's gradient, clipped separately. null: no clipping.")
      .meta({ source: 'the reference implementation of UniMiSS' }),
    freezeLastLayerEpochs: z
      .int()
      .min(0)
      .default(1)
      .describe(
        "Number of epochs at the start that do not train the head's last layer. This stabilises the first steps.",
      )
      .meta({ source: 'the reference implementation of UniMiSS' }),
    centerMomentum: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe("Momentum of the centre: the running mean of the teacher's outputs, which is subtracted from them.")
      .meta({ source: 'DINO (Caron et al. 2021), section 3.1' }),
    centers: z
      .enum(['shared', 'separate'])
      .default('shared')
      .describe(
        'Which outputs of the teacher share a centre. `shared`: all one, as in the reference implementation. `separate`: pictures, volumes and slices have one each, so that the outputs of volumes do not collapse where slices and volumes differ.',
      )
      .meta({ source: 'docs/method.md, options beyond the reference' }),
    koleo: z
      .number()
      .min(0)
      .max(100)
      .default(0)
      .describe(
        "Weight of the KoLeo regulariser (as in DINOv2), which spreads the images of a batch in the head's bottleneck. It helps small batches, which otherwise collapse; 0.1–0.3 are usual. Needs `accumulate` 1 and batches of at least 2. 0: none, as in the paper.",
      )
      .meta({ source: 'DINOv2 (Oquab et al. 2023), section 4' }),
    sliceStride: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe(
        'In 3D, distance between the slices of a volume that also serve as pictures. 1: all slices, as in the paper. 2 (every second one, as in UniMiSS+) or 4 make 3D steps faster. Must divide the number of slices of a 3D view.',
      )
      .meta({ source: 'UniMiSS+ (Xie et al. 2024)' }),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe(
        'Seed for all randomness: weights, order of images, views, drop-path. The same seed gives the same run.',
      ),
    initialWeights: path
      .nullable()
      .default(null)
      .describe(
        'Checkpoint whose student provides the initial weights: .safetensors, or .pth of the reference implementation. null: random weights.',
      ),
  })
  .describe('The training.');

const views = z
  .strictObject({
    area2D: range(0.01, 1)
      .default([0.14, 1])
      .describe('Fraction of the image area that a 2D view shows: [min, max], drawn for each view.')
      .meta({ source: 'the reference implementation of UniMiSS' }),
    crop3D: range(0.5, 4)
      .default([0.8, 1.2])
      .describe(
        'In-plane crop size as a multiple of the view size: [min, max]. Both crops come from one parent crop (`parent3D`).',
      )
      .meta({ source: 'the reference implementation of UniMiSS' }),
    parent3D: range(0.5, 4)
      .default([1.4, 1.8])
      .describe(
        'In-plane size of the parent crop, from which both crops of a volume come, as a multiple of the view size: [min, max].',
      )
      .meta({ source: 'the reference implementation of UniMiSS' }),
    pad3D: z
      .number()
      .min(1)
      .max(8)
      .nullable()
      .default(null)
      .describe(
        'In-plane size to which smaller volumes are padded with 0 HU, as a multiple of the view size. At least the largest parent crop. null: 8/3, as in the reference implementation (256 voxels for views of 96). Lower it, with `parent3D`, if your volumes are smaller: else views show padding.',
      ),
    volumeDraws: z
      .enum(['slice', 'volume'])
      .default('slice')
      .describe(
        'How the intensity changes of a 3D view are drawn: separately for each `slice` (as in the reference implementation) or once for the whole `volume`.',
      )
      .meta({ source: 'the reference implementation of UniMiSS' }),
  })
  .describe('How the two views of an image are made.');

const probe = z
  .strictObject({
    data: z
      .union([path, z.array(path).min(1).max(2)])
      .describe(
        'Images with one class each: a table (CSV, TSV) with the columns `path` and `label`, and `patient` if a patient has several; or folders by class. Pictures or volumes; a list of two for both. See docs/datasets.md.',
      ),
    everyEpochs: z.int().min(1).default(5).describe('Measure after every this many epochs, and after the last one.'),
    neighbors: z.int().min(1).max(1000).default(20).describe('Neighbours that vote in k-NN.'),
  })
  .nullable()
  .default(null)
  .describe(
    "Labelled images on which the teacher's features are measured during the training, by k-NN and a linear probe. Each image is classified by the others: in five folds by patient, or in the split of the data set. The training does not see them and does not change. null: none.",
  );

export const pretrainSchema = z.strictObject({
  $schema: schemaField,
  task: z.literal('pretrain').default('pretrain').describe('Kind of run. Default: pre-training.'),
  name: nameOf('pretrain'),
  data,
  model: model.prefault({}),
  train: train.prefault({}),
  views: views.prefault({}),
  probe,
  ...sharedFields,
});

/** A configuration as a user writes it: nearly every field has a default. */
export type PretrainInput = z.input<typeof pretrainSchema>;
/** A configuration with defaults, before presets and paths are made explicit (resolve.ts). */
export type PretrainGiven = z.output<typeof pretrainSchema>;
