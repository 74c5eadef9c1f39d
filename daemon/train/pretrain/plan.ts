import type { PretrainConfig } from '../../../protocol/config/index.ts';
import { ofPhase } from '../../../protocol/config/pretrain/byPhase.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { count } from '../../../protocol/words.ts';
import type { Dataset } from '../../data/datasets/unlabelled.ts';
import { layOut, type Plan } from '../plan.ts';

export interface PretrainPlan extends Plan<Modality> {
  /** Steps in which the learning rate rises. */
  readonly warmupSteps: number;
}

export interface PlanOptions {
  epochs: number;
  /** Epochs of one phase before the turn of the other. */
  interval: number;
  /** Images in the set, by phase; 0 if there are none. */
  images: Readonly<Record<Modality, number>>;
  /** Images per optimiser step (batch × accumulate), by phase. */
  totalBatch: Readonly<Record<Modality, number>>;
  /** Upper limit of an epoch's steps, by phase. */
  stepsPerEpoch: Readonly<Record<Modality, number | null>>;
  /** `equal`: an epoch of either phase uses as many images as the smaller set has. */
  balance: 'all' | 'equal';
  warmupEpochs: number;
}

/**
 * Lays out every step of a run: `interval` epochs of 2D, then as many of 3D, and so on (as in the paper). An epoch has all
 * full batches of the set, at least one. Warm-up lasts for the steps of the first `warmupEpochs` epochs, but at most a tenth of
 * the run, so that a short run is not all warm-up.
 * @throws UnimissError 'data' if there are no images
 */
export function planRun(options: PlanOptions): PretrainPlan {
  const phases = modalities.filter((p) => options.images[p] > 0);
  const phaseOf = (epoch: number) => phases[Math.floor(epoch / options.interval) % phases.length];
  const plan = layOut(
    Array.from({ length: options.epochs }, (_, epoch) => {
      const group = phaseOf(epoch);
      if (group) return { group, steps: stepsOf(group, options) };
      throw new UnimissError('data', 'there are no images to train on', {
        place: 'data',
        remedy: 'Set data.paths to folders with NIfTI, NRRD, MetaImage, DICOM, PNG or JPEG files.',
      });
    }),
  );
  const wholeEpochs = plan.epochs.slice(0, Math.floor(options.warmupEpochs));
  const next = plan.epochs[wholeEpochs.length];
  const asked = wholeEpochs.reduce((sum, e) => sum + e.steps, 0) + (options.warmupEpochs % 1) * (next?.steps ?? 0);
  return { ...plan, warmupSteps: Math.min(Math.round(asked), Math.ceil(plan.steps / 10)) };
}

function stepsOf(phase: Modality, { images, totalBatch, stepsPerEpoch, balance }: PlanOptions): number {
  const other = images[phase === '2D' ? '3D' : '2D'];
  const count = balance === 'equal' && other > 0 ? Math.min(images[phase], other) : images[phase];
  const full = Math.max(1, Math.floor(count / totalBatch[phase]));
  return Math.min(full, stepsPerEpoch[phase] ?? full);
}

/**
 * All steps of a run over the images found.
 * @throws UnimissError 'data' if the configuration asks for a kind of image that is missing
 */
export function planOf({ train, data }: PretrainConfig, dataset: Dataset): PretrainPlan {
  const count = (phase: Modality) =>
    data.modalities === 'auto' || data.modalities === 'both' || data.modalities === phase
      ? dataset.samples(phase).length
      : 0;
  const images = { '2D': count('2D'), '3D': count('3D') };
  for (const phase of modalities)
    if ((data.modalities === 'both' || data.modalities === phase) && images[phase] === 0)
      throw new UnimissError('data', `no ${phase} images found`, {
        place: dataset.root,
        remedy: `data.modalities requires them: add ${phase === '2D' ? 'PNG or JPEG' : 'NIfTI'} files, or set it to "auto".`,
      });
  return planRun({
    epochs: train.epochs,
    interval: train.interval,
    images,
    totalBatch: { '2D': train.batch['2D'] * train.accumulate, '3D': train.batch['3D'] * train.accumulate },
    stepsPerEpoch: { '2D': ofPhase(train.stepsPerEpoch, '2D'), '3D': ofPhase(train.stepsPerEpoch, '3D') },
    balance: data.balance,
    warmupEpochs: train.warmupEpochs,
  });
}

/** `144 steps in 16 epochs over 96 2D images and 48 volumes` */
export function describePlan(plan: PretrainPlan, dataset: Dataset): string {
  return `${count(plan.steps, 'step')} in ${count(plan.epochs.length, 'epoch')} over ${count(dataset.samples2D.length, '2D image')} and ${count(dataset.samples3D.length, 'volume')}`;
}
