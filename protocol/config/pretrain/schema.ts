import { z } from 'zod';
import { nameOf, path, range, schemaField, share, sharedFields, size, width } from '../shared.ts';
import { presetNames } from './presets.ts';

/** The configuration of a pre-training run: what a `*.unimiss.jsonc` file without `task` may say, with defaults. */

const data = z
  .strictObject({
    paths: z
      .union([path, z.array(path).min(1)])
      .optional()
      .describe(
        'Folder or file with images, or a list of them; folders are searched at any depth. NIfTI (.nii, .nii.gz), PNG and JPEG; what is 2D and what is 3D is found from the files. Relative paths start at the folder of this file.',
      ),
    manifest: path
      .optional()
      .describe('Text file that lists the images, in place of `paths`. Its relative paths start at its own folder.'),
    modalities: z
      .enum(['auto', 'both', '2D', '3D'])
      .default('auto')
      .describe(
        'Which images to train on. `auto`: whatever is found, alternating where there are both; `both`: the run is refused where one is missing; `2D` or `3D`: only these.',
      ),
    balance: z
      .enum(['all', 'equal'])
      .default('all')
      .describe(
        'How long an epoch is. `all`: every image of the phase once (as in the paper), so that the larger set gets more steps; `equal`: both phases have as many images an epoch as the smaller set, the larger one drawing others each epoch.',
      ),
    resample: z
      .boolean()
      .default(true)
      .describe('Resample volumes whose voxel spacing is far from `spacing` when they are read.'),
    spacing: z
      .tuple([z.number().positive(), z.number().positive(), z.number().positive()])
      .default([3, 1, 1])
      .describe('Voxel spacing to resample to, in mm: [between slices, x, y].'),
    cache: z
      .union([path, z.literal(false)])
      .optional()
      .describe(
        'Folder that keeps resampled volumes between epochs and runs; `false`: resample at every read. Default: `volumes` in our cache, which is `~/.cache/unimiss` unless `UNIMISS_CACHE` names another.',
      ),
    maxBroken: share
      .default(0.05)
      .describe(
        'Share of the images that may turn out broken (each is named) before the run stops. 0: stop at the first.',
      ),
    workers: z
      .int()
      .min(0)
      .max(256)
      .default(1)
      .describe(
        'Threads that read images and make views; 0: in the trainer itself. Raise it where the records show waiting (`waitMs`). The views are the same whatever the number.',
      ),
  })
  .describe('The images.');

const model = z
  .strictObject({
    preset: z
      .enum(presetNames)
      .default('tiny')
      .describe(
        'Size of the network MiT: `nano` for demonstrations and tests, `tiny` (20 M parameters) and `small` (44 M) as in the paper. It also decides the defaults of the sizes and the head.',
      ),
    size2D: z
      .tuple([size, size])
      .optional()
      .describe('2D views, [height, width] in pixels, multiples of 32. Default: 224×224 (`nano`: 64×64).'),
    size3D: z
      .tuple([size, size, size])
      .optional()
      .describe(
        '3D views, [slices, height, width] in voxels: slices a multiple of 16, height and width of 32. Default: 16×96×96 (`nano`: 16×64×64).',
      ),
    dropPath: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'Probability to skip a residual branch, in the student (stochastic depth); grows linearly from 0 at the first block. What the published weights were trained with is 0.',
      ),
    head: z
      .strictObject({
        hidden: width.max(65536).optional().describe('Width of the two hidden layers. Default: 2048 (`nano`: 256).'),
        bottleneck: width.max(65536).optional().describe('Width before the last layer. Default: 256 (`nano`: 64).'),
        outDim: width
          .max(1 << 20)
          .optional()
          .describe('Outputs over which student and teacher are compared. Default: 65536 (`nano`: 1024).'),
      })
      .prefault({})
      .describe('The projection head, used in pre-training only.'),
  })
  .describe('The network.');

const train = z
  .strictObject({
    epochs: z
      .int()
      .min(1)
      .max(100_000)
      .default(200)
      .describe('Epochs in all; an epoch of either phase (2D or 3D) counts as one.'),
    interval: z
      .int()
      .min(1)
      .default(2)
      .describe('Epochs of 2D, then as many of 3D, and so on. Without effect where only one of them is there.'),
    batch: z
      .strictObject({
        '2D': z.int().min(1).max(65536).default(8).describe('Images a step in 2D epochs.'),
        '3D': z.int().min(1).max(65536).default(8).describe('Volumes a step in 3D epochs; each also gives its slices.'),
      })
      .prefault({})
      .describe(
        'Images that are in memory at once. The paper: 24 on each of 8 GPUs. Too much memory: halve it and double `accumulate`.',
      ),
    accumulate: z
      .int()
      .min(1)
      .max(4096)
      .default(1)
      .describe(
        'Batches whose gradients are added up before one optimiser step: the total batch is batch × accumulate.',
      ),
    stepsPerEpoch: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('At most this many optimiser steps an epoch; null: until every image was seen.'),
    lr: z
      .number()
      .positive()
      .max(1)
      .default(8e-4)
      .describe('Peak learning rate for a total batch of 256; the rate used is this times the total batch over 256.'),
    finalLr: z.number().min(0).max(1).default(1e-6).describe('Learning rate at the end of the cosine (not scaled).'),
    warmupEpochs: z
      .number()
      .min(0)
      .default(10)
      .describe('Epochs in which the learning rate rises linearly from 0; shortened where the run is short.'),
    weightDecay: z
      .tuple([z.number().min(0).max(10), z.number().min(0).max(10)])
      .default([0.04, 0.4])
      .describe('Decoupled weight decay [at the start, at the end], by a cosine; biases and norms have none.'),
    momentum: z
      .tuple([share, share])
      .default([0.996, 1])
      .describe(
        'How much of the teacher is kept at each step [at the start, at the end], by a cosine. Lower it (0.99) for a run of few steps: else the teacher stays where it was.',
      ),
    teacherTemperature: z
      .strictObject({
        value: z
          .number()
          .positive()
          .max(10)
          .default(0.04)
          .describe(
            'Temperature of the softmax; lower is sharper. Raise it where the loss does not fall, lower it against a uniform output.',
          ),
        start: z
          .number()
          .positive()
          .max(10)
          .nullable()
          .default(null)
          .describe('Where a linear warm-up to `value` starts; null: no warm-up.'),
        warmupEpochs: z.number().min(0).default(0).describe('Epochs of that warm-up.'),
      })
      .prefault({})
      .describe("The teacher's temperature."),
    studentTemperature: z.number().positive().max(10).default(0.1).describe("Temperature of the student's softmax."),
    clipGradient: z
      .number()
      .positive()
      .nullable()
      .default(0.3)
      .describe("Largest norm of each parameter's gradient (each on its own); null: no clipping."),
    freezeLastLayerEpochs: z
      .int()
      .min(0)
      .default(1)
      .describe("Epochs at the start in which the head's last layer is not trained; it steadies the first steps."),
    centerMomentum: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe("How much of the centre (the running mean of the teacher's outputs, subtracted from them) is kept."),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe(
        'Seed of everything random: weights, order of images, views, drop-path. The same seed gives the same run.',
      ),
    initialWeights: path
      .nullable()
      .default(null)
      .describe('Checkpoint (.safetensors) whose student is the start; null: random weights.'),
  })
  .describe('The training.');

const views = z
  .strictObject({
    area2D: range(0.01, 1)
      .default([0.14, 1])
      .describe('Share of a picture that a 2D view shows: [least, most], drawn for each view.'),
    crop3D: range(0.5, 1.4)
      .default([0.8, 1.2])
      .describe(
        'In-plane size of the part of a volume that a 3D view shows, in sizes of a view: [least, most]. Both views lie in one part of the volume of 1.4–1.8 such sizes.',
      ),
    volumeDraws: z
      .enum(['slice', 'volume'])
      .default('slice')
      .describe(
        'What the intensity changes of a 3D view are drawn for: each `slice` on its own (the reference implementation) or once for the whole `volume`.',
      ),
  })
  .describe('How the two views of an image are made.');

export const pretrainSchema = z.strictObject({
  $schema: schemaField,
  task: z.literal('pretrain').default('pretrain').describe('Kind of run. A file without it is a pre-training.'),
  name: nameOf('pretrain'),
  data,
  model: model.prefault({}),
  train: train.prefault({}),
  views: views.prefault({}),
  ...sharedFields,
});

/** A configuration as a user writes it: nearly every field has a default. */
export type PretrainInput = z.input<typeof pretrainSchema>;
/** A configuration with defaults, before presets and paths are made explicit (resolve.ts). */
export type PretrainGiven = z.output<typeof pretrainSchema>;
