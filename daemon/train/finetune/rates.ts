import type { FinetuneConfig } from '../../../protocol/config/index.ts';

/** nnU-Net's exponent. */
const POLY = 0.9;

export interface RatePlace {
  /** Steps done in the run. */
  readonly step: number;
  /** Share of the run's time that was used when the epoch began, 0–1; 0 where the run has no limit in hours. */
  readonly timeUsed: number;
}

/**
 * The learning rate of each step: linear warm-up, then by poly, cosine or not at all. What has passed of the run is the larger of the
 * share of its steps and that of its hours, so that a run which ends by time ends with a low rate too.
 */
export function learningRates(
  { lr, schedule, warmupEpochs }: Pick<FinetuneConfig['train'], 'lr' | 'schedule' | 'warmupEpochs'>,
  { steps, stepsPerEpoch }: { readonly steps: number; readonly stepsPerEpoch: number },
): (place: RatePlace) => number {
  const warmupSteps = Math.round(warmupEpochs * stepsPerEpoch);
  const falling = {
    poly: (passed: number) => (1 - passed) ** POLY,
    cosine: (passed: number) => 0.5 * (1 + Math.cos(Math.PI * passed)),
    constant: () => 1,
  }[schedule];
  return ({ step, timeUsed }) => {
    const warming = step < warmupSteps ? (step + 1) / warmupSteps : 1;
    return lr * warming * falling(Math.min(1, Math.max(step / steps, timeUsed)));
  };
}
