import { z } from 'zod';

/**
 * What the configurations of all kinds of runs share. Each field is declared once: types, checks, the editor's JSON Schema and
 * docs/configuration.md come from it. Sizes are [height, width] or [slices, height, width], as in the paper.
 */

/** A path as a user writes it. */
export const path = z
  .string()
  .min(1)
  .regex(/^[^\0]+$/);
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

/** A run's name, with the default of its kind. */
export const nameOf = (preset: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .default(preset)
    .describe('Name of the run and start of its folder’s name: letters, digits, `.`, `_` and `-`, at most 64.');

/** Fields that every kind of run has, beside `task` and `name`. */
export const sharedFields = {
  engine: engine.prefault({}),
  checkpoint: checkpoint.prefault({}),
  records: records.prefault({}),
};

export const schemaField = z
  .string()
  .optional()
  .describe('Address of the JSON Schema, for editors. Not used otherwise.');

/** What every resolved configuration has, whatever its task. */
export interface SharedConfig {
  readonly task: string;
  readonly name: string;
  readonly engine: z.output<typeof engine>;
  readonly checkpoint: z.output<typeof checkpoint>;
  readonly records: z.output<typeof records>;
}
