import { UnimissError } from '../../protocol/errors.ts';
import { type Modality, modalities } from '../../protocol/modality.ts';

/** One epoch of a run: all its steps are of one phase. */
export interface EpochPlan {
  readonly epoch: number;
  readonly phase: Modality;
  readonly steps: number;
  /** Number of its first step in the run. */
  readonly firstStep: number;
}

export interface RunPlan {
  readonly epochs: readonly EpochPlan[];
  readonly steps: number;
  /** Steps in which the learning rate rises. */
  readonly warmupSteps: number;
}

export interface PlanOptions {
  epochs: number;
  /** Epochs of one phase before the other has its turn. */
  interval: number;
  /** Images in the set, by phase; 0 where there are none. */
  images: Readonly<Record<Modality, number>>;
  /** Images an optimiser step takes (batch × accumulate), by phase. */
  totalBatch: Readonly<Record<Modality, number>>;
  /** Upper limit of an epoch's steps. */
  stepsPerEpoch: number | null;
  /** `equal`: an epoch of either phase takes as many images as the smaller set has. */
  balance: 'all' | 'equal';
  warmupEpochs: number;
}

/**
 * Lays out every step of a run: `interval` epochs of 2D, then as many of 3D, and so on (paper, section 3.3). An epoch is all
 * full batches of the set, at least one. Warm-up takes the steps of the first `warmupEpochs` epochs, but never more than
 * a tenth of the run, so that a short run is not all warm-up.
 * @throws UnimissError 'data' when there are no images at all
 */
export function planRun(options: PlanOptions): RunPlan {
  const phases = modalities.filter((p) => options.images[p] > 0);
  if (phases.length === 0)
    throw new UnimissError('data', 'there are no images to train on', {
      place: 'data',
      remedy: 'Name folders with NIfTI, PNG or JPEG files in data.paths.',
    });
  const epochs: EpochPlan[] = [];
  let firstStep = 0;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const phase = phases[Math.floor(epoch / options.interval) % phases.length] as Modality;
    const steps = stepsOf(phase, options);
    epochs.push({ epoch, phase, steps, firstStep });
    firstStep += steps;
  }
  const wholeEpochs = epochs.slice(0, Math.floor(options.warmupEpochs));
  const next = epochs[wholeEpochs.length];
  const asked = wholeEpochs.reduce((sum, e) => sum + e.steps, 0) + (options.warmupEpochs % 1) * (next?.steps ?? 0);
  return { epochs, steps: firstStep, warmupSteps: Math.min(Math.round(asked), Math.ceil(firstStep / 10)) };
}

function stepsOf(phase: Modality, { images, totalBatch, stepsPerEpoch, balance }: PlanOptions): number {
  const other = images[phase === '2D' ? '3D' : '2D'];
  const count = balance === 'equal' && other > 0 ? Math.min(images[phase], other) : images[phase];
  const full = Math.max(1, Math.floor(count / totalBatch[phase]));
  return Math.min(full, stepsPerEpoch ?? full);
}

/** The epoch that a step belongs to. @param step 0 … plan.steps − 1 */
export function epochOf(plan: RunPlan, step: number): EpochPlan {
  const found = plan.epochs.findLast((e) => e.firstStep <= step);
  if (!found || step >= plan.steps)
    throw new UnimissError('internal', `step ${step} is not one of the run's ${plan.steps}`);
  return found;
}
