import { UnimissError } from '../../errors.ts';
import type { ConfigKind } from '../kind.ts';
import type { SharedConfig } from '../shared.ts';
import { impossibleFinetune } from './combinations.ts';
import { type FinetuneConfig, resolveFinetune } from './resolve.ts';
import { type FinetuneGiven, finetuneSchema } from './schema.ts';
import { finetuneTemplate } from './template.ts';

export type { AugmentProbabilities } from './augment.ts';
export type { FinetuneConfig } from './resolve.ts';
export type { Channel, FinetuneGiven, FinetuneInput, Normalization } from './schema.ts';
export type { EpochMetric } from './trainSchema.ts';

const smallest =
  'A minimal configuration is { "task": "finetune", "problem": "segmentation", "modality": "3D", "data": { "path": "…" } }. `unimiss plan` writes one.';

/** Fine-tuning on labelled images: segmentation or classification, 2D or 3D. */
export const finetuneKind: ConfigKind<FinetuneGiven, FinetuneConfig> = {
  task: 'finetune',
  title: 'UniMiSS fine-tuning',
  schema: finetuneSchema,
  smallest,
  remedies: {
    data: smallest,
    problem: 'Add "problem": "segmentation" or "classification".',
    modality: 'Add "modality": "2D" or "3D".',
    'data.fold': 'Write the number of a fold, from 0, or "all".',
    'plan.spacing': 'Write three numbers in mm, as [3, 1, 1], or null.',
    'plan.patch': 'Write [height, width] or [slices, height, width].',
    'train.classWeights': 'Write a list of numbers, "balanced", or null.',
  },
  template: finetuneTemplate,
  choiceFields: { folder: 'data.path', preset: 'model.preset', name: 'name', device: 'engine.device' },
  problems: impossibleFinetune,
  resolve: resolveFinetune,
  summary: ({ model, train, plan, start: { from } }) => {
    const [slices, ...inPlane] = plan.patch;
    // Previews show every nth slice of a patch, 16 at most.
    const shown = Math.ceil(slices / Math.ceil(slices / 16));
    const { epochs, best } = train;
    const pictures = ['image', 'reference', 'prediction'];
    const slicesShown = inPlane.length === 2 && { slices: shown };
    return { preset: model.preset, epochs, from, score: best, pictures, ...slicesShown };
  },
};

/** The configuration of a run that must be a fine-tuning. @throws UnimissError 'config' if it is another kind */
export function requireFinetune(config: SharedConfig): FinetuneConfig {
  if (config.task === finetuneKind.task) return config as FinetuneConfig;
  throw new UnimissError('config', `"${config.name}" is a run of kind "${config.task}"`, {
    place: 'task',
    remedy: 'Name a fine-tuning run.',
  });
}
