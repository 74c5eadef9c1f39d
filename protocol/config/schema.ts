import { z } from 'zod';
import { presetNames } from './presets.ts';

/**
 * The configuration of a pre-training run: what a `*.unimiss.jsonc` file may say, with defaults.
 * This schema is the only place where a field is declared: types, checks, the editor's JSON Schema and
 * docs/configuration.md come from it. Sizes are [height, width] or [slices, height, width], as in the paper.
 */

const path = z
  .string()
  .min(1)
  .regex(/^[^\0]+$/);
const share = z.number().min(0).max(1);
const size = z.int().min(1).max(4096);
const width = z.int().min(1);
const range = (least: number, most: number) =>
  z.tuple([z.number().min(least).max(most), z.number().min(least).max(most)]);
const threads = z.int().min(1).max(1024).nullable().default(null);

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

const engine = z
  .strictObject({
    device: z
      .enum(['cpu', 'cuda'])
      .default('cpu')
      .describe('Where to compute. `unimiss engine info` says what there is.'),
    gpu: z
      .int()
      .min(0)
      .max(63)
      .nullable()
      .default(null)
      .describe(
        'Number of the GPU, from 0: as `nvidia-smi` counts them, or, where CUDA_VISIBLE_DEVICES is set, its place in that list; null: the first. Only with `device` = `cuda`.',
      ),
    allowCpu: z
      .boolean()
      .default(false)
      .describe('Go on with the CPU where `cuda` is asked for and no usable GPU is found, in place of an error.'),
    executor: z
      .enum(['auto', 'graph', 'xla', 'eager'])
      .default('graph')
      .describe(
        'How a step is run. `graph`: a traced TensorFlow function (oneDNN on CPUs); `xla`: compiled; `eager`: op by op, slow, for debugging; `auto`: measures graph and XLA once a machine and keeps the faster.',
      ),
    interOpThreads: threads.describe(
      'TensorFlow threads that run different ops at once; null: chosen for the machine.',
    ),
    intraOpThreads: threads.describe('TensorFlow threads within one op; null: chosen for the machine.'),
  })
  .describe('TensorFlow.');

const checkpoint = z
  .strictObject({
    everyMinutes: z
      .number()
      .positive()
      .nullable()
      .default(15)
      .describe('Save when this many minutes have passed since the last checkpoint; null: not by time.'),
    everyEpochs: z
      .int()
      .min(1)
      .nullable()
      .default(1)
      .describe('Save after this many epochs; null: not by epochs. The end of a run and Ctrl-C always save.'),
    keepLast: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .describe('How many of the newest checkpoints to keep. With 2, a damaged one has a predecessor to fall back on.'),
    keepBest: z
      .boolean()
      .default(true)
      .describe(
        'Keep the best checkpoint as well (the lowest mean loss of an epoch; of 3D epochs where there are both, since losses of the phases cannot be compared), however old it is.',
      ),
  })
  .describe(
    'When the state of the training is saved. A checkpoint of `tiny` with all state takes about 700 MB, of `small` 1.1 GB; while one is written, there must be room for one more than are kept.',
  );

const records = z
  .strictObject({
    tensorboard: z.boolean().default(false).describe('Also write the curves as TensorBoard event files.'),
    previews: z
      .boolean()
      .default(true)
      .describe(
        'Save pictures of some views for the report. They show parts of the images: turn it off where these must not leave their folder.',
      ),
    hidePaths: z
      .boolean()
      .default(false)
      .describe(
        'Replace names of image files by stable hashes in records, logs and reports: names often hold patient numbers. The folders that the configuration names stay in its copies, and previews stay unless `previews` is off.',
      ),
  })
  .describe('What a run writes about itself.');

export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('Address of the JSON Schema, for editors. Not used otherwise.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .default('pretrain')
    .describe('Name of the run and start of its folder’s name: letters, digits, `.`, `_` and `-`, at most 64.'),
  data,
  model: model.prefault({}),
  train: train.prefault({}),
  views: views.prefault({}),
  engine: engine.prefault({}),
  checkpoint: checkpoint.prefault({}),
  records: records.prefault({}),
});

/** A configuration as a user writes it: nearly everything may be left out. */
export type ConfigInput = z.input<typeof configSchema>;
/** A configuration with defaults, before presets and paths are made explicit (see resolveConfig.ts). */
export type Config = z.output<typeof configSchema>;

/** JSON Schema (draft 7, as VS Code reads it) of a `*.unimiss.jsonc` file. */
export function configJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' });
  return { $schema, title: 'UniMiSS pre-training', ...schema };
}
