import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import type { Dataset } from '../../data/datasets/unlabelled.ts';
import { planRun, type RunPlan } from '../../train/plan.ts';

/**
 * Every step of a run over the images that were found.
 * @throws UnimissError 'data' where the configuration asks for a kind of image that is not there
 */
export function planOf({ train, data }: ResolvedConfig, dataset: Dataset): RunPlan {
  const count = (phase: Modality) =>
    data.modalities === 'auto' || data.modalities === 'both' || data.modalities === phase
      ? dataset.samples(phase).length
      : 0;
  const images = { '2D': count('2D'), '3D': count('3D') };
  for (const phase of modalities)
    if ((data.modalities === 'both' || data.modalities === phase) && images[phase] === 0)
      throw new UnimissError('data', `there are no ${phase} images`, {
        place: dataset.root,
        remedy: `data.modalities asks for them: add ${phase === '2D' ? 'PNG or JPEG' : 'NIfTI'} files, or set it to "auto".`,
      });
  return planRun({
    epochs: train.epochs,
    interval: train.interval,
    images,
    totalBatch: { '2D': train.batch['2D'] * train.accumulate, '3D': train.batch['3D'] * train.accumulate },
    stepsPerEpoch: train.stepsPerEpoch,
    balance: data.balance,
    warmupEpochs: train.warmupEpochs,
  });
}

/** `144 steps in 16 epochs over 96 2D images and 48 volumes` */
export function describePlan(plan: RunPlan, dataset: Dataset): string {
  return `${plan.steps} steps in ${plan.epochs.length} epochs over ${dataset.samples2D.length} 2D images and ${dataset.samples3D.length} volumes`;
}
