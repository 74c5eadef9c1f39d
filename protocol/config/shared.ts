import { z } from 'zod';
import { engineDevices, enginePrecisions } from './devices.ts';

/**
 * The fields that configurations of all kinds of runs share. Each field is declared once; types, checks, the editor's JSON Schema
 * and docs/configuration.md derive from the declaration. Sizes are [height, width] or [slices, height, width], as in the paper.
 */

/** A path as a user writes it. */
export const path = z
  .string()
  .min(1)
  .regex(/^[^\0]+$/)
  .meta({ format: 'path' });
/** A number from 0 to 1. */
export const share = z.number().min(0).max(1);
/** Pixels or voxels along one axis. */
export const size = z.int().min(1).max(4096);
/** Width of a layer. */
export const width = z.int().min(1);
/** [lowest, highest] */
export const range = (least: number, most: number) =>
  z.tuple([z.number().min(least).max(most), z.number().min(least).max(most)]);
const threads = z.int().min(1).max(1024).nullable().default(null);

const engine = z
  .strictObject({
    device: z
      .enum(engineDevices)
      .default('cpu')
      .describe(
        'What computes. `cpu`, `cuda`: TensorFlow on the processor or on an NVIDIA GPU. `pjrt:…`: XLA, through a plugin of PJRT for the processor or for GPUs of NVIDIA (`cuda`), AMD (`rocm`), Intel (`oneapi`) or Apple (`metal`, which waits for macOS). `unimiss engine info` lists what is installed.',
      ),
    gpu: z
      .int()
      .min(0)
      .max(63)
      .nullable()
      .default(null)
      .describe(
        'Number of the GPU, from 0, as in `nvidia-smi`. If CUDA_VISIBLE_DEVICES is set: its position in that list. null: the first. Only with a GPU as `device`; AMD, Intel and Apple GPUs: only 0.',
      ),
    allowCpu: z
      .boolean()
      .default(false)
      .describe(
        'Fall back to the CPU if `device` is `cuda` or `pjrt:cuda` but no usable GPU is found. Otherwise the run fails.',
      ),
    executor: z
      .enum(['auto', 'graph', 'xla', 'eager'])
      .default('graph')
      .describe(
        'How steps are executed. `graph`: as a traced TensorFlow function (oneDNN on CPUs). `xla`: compiled. `eager`: op by op; slow, for debugging. `auto`: measures graph and XLA once per machine and uses the faster one. A `device` that begins with `pjrt:` always compiles: `graph`, `xla` and `auto` are the same there, and `eager` is refused.',
      ),
    precision: z
      .enum(enginePrecisions)
      .default('float32')
      .describe(
        'What matrix products and convolutions multiply. `bfloat16`: factors are rounded to 8 bits of mantissa, which is faster on GPUs; weights, sums, norms and losses stay float32 (mixed precision), but results of convolutions are rounded as well. Only with a `device` that begins with `pjrt:`.',
      ),
    interOpThreads: threads.describe(
      'Number of TensorFlow threads that run different ops in parallel. null: chosen for the machine.',
    ),
    intraOpThreads: threads.describe('Number of TensorFlow threads within one op. null: chosen for the machine.'),
  })
  .describe('What computes the steps, and how.');

/** TensorFlow as it is used where nobody said otherwise. */
export const defaultEngine = (): z.output<typeof engine> => engine.parse({});

const checkpoint = z
  .strictObject({
    everyMinutes: z
      .number()
      .positive()
      .nullable()
      .default(15)
      .describe('Save a checkpoint this many minutes after the last one. null: not by time.'),
    everyEpochs: z
      .int()
      .min(1)
      .nullable()
      .default(1)
      .describe(
        'Save a checkpoint every this many epochs. null: not by epochs. The end of a run and Ctrl-C always save one.',
      ),
    keepLast: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .describe(
        'Number of newest checkpoints to keep. With 2, you can fall back to the previous one if the newest is damaged.',
      ),
    keepBest: z
      .boolean()
      .default(true)
      .describe(
        'Also keep the best checkpoint, however old. Pre-training: the one with the lowest mean loss of an epoch; with 2D and 3D, only 3D epochs count, because the losses of the two phases are not comparable. Fine-tuning: the one with the best `train.best`.',
      ),
  })
  .describe(
    'When to save checkpoints. A checkpoint holds the full training state: about 700 MB for `tiny`, 1.1 GB for `small`. Writing one needs disk space for one more than are kept.',
  );

const records = z
  .strictObject({
    tensorboard: z.boolean().default(false).describe('Also write the curves as TensorBoard event files.'),
    previews: z
      .boolean()
      .default(true)
      .describe(
        'Save pictures of some views for the report. They show parts of the images: turn this off if the images must not leave their folder.',
      ),
    hidePaths: z
      .boolean()
      .default(false)
      .describe(
        'Replace the names of image files by stable hashes in records, logs and reports, because names often contain patient numbers. Copies of the configuration still contain its folder names, and previews are still saved unless `previews` is off.',
      ),
  })
  .describe('What a run records.');

/** Highest number of a volume in a 4-D file. */
export const highestVolume = 65535;
/** The volume that is taken from image files with several (4-D); null: none, so that such files are refused. */
export const volumeNumber = z.int().min(0).max(highestVolume).nullable().default(null);

/** Characters that a run's name may have. */
export const longestRunName = 64;
/** A run's name. */
export const runName = z.string().regex(new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${longestRunName - 1}}$`));
/** What a run's name may be, for people. */
export const runNameRule = 'Use at most 64 letters, digits, ".", "_" and "-". Start with a letter or digit.';

/** A run's name, with the default of its kind. */
export const nameOf = (preset: string) =>
  runName
    .default(preset)
    .describe('Name of the run. The name of its folder starts with it. At most 64 letters, digits, `.`, `_` and `-`.');

/** A valid name of a run after a file or folder; undefined if nothing of its name can be used. */
export function runNameOf(fileName: string): string | undefined {
  const name = fileName.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  return name === '' ? undefined : name.slice(0, 64);
}

/** Fields that every kind of run has, beside `task` and `name`. */
export const sharedFields = {
  experiment: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$/)
    .nullable()
    .default(null)
    .describe('Name of the experiment that the run is part of. `unimiss compare` sets it. It does not change the run.'),
  engine: engine.prefault({}),
  checkpoint: checkpoint.prefault({}),
  records: records.prefault({}),
};

export const schemaField = z
  .string()
  .optional()
  .describe('Address of the JSON Schema, for editors. UniMiSS ignores it.');

/** What every resolved configuration has, whatever its task. */
export interface SharedConfig {
  readonly task: string;
  readonly name: string;
  readonly experiment: string | null;
  readonly engine: z.output<typeof engine>;
  readonly checkpoint: z.output<typeof checkpoint>;
  readonly records: z.output<typeof records>;
}

/** Stages of the encoder, of `nano` alone: earlier versions had four. */
export const stages = z
  .union([z.literal(3), z.literal(4)])
  .optional()
  .describe(
    'Number of stages of the encoder. 4 as in the paper; `nano` has 3, and `nano` of earlier versions 4. Default: by preset. Only `nano` allows another one.',
  );
