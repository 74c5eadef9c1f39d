import { UnimissError } from '../../protocol/errors.ts';
import type { Modality } from '../../protocol/modality.ts';

/** One epoch of a run. */
export interface EpochPlan<Group extends Modality | null = Modality | null> {
  readonly epoch: number;
  /** What all its steps train on; null if the run has no groups. */
  readonly group: Group;
  readonly steps: number;
  /** Number of its first step in the run. */
  readonly firstStep: number;
}

/** All steps of a run, laid out before it begins. */
export interface Plan<Group extends Modality | null = Modality | null> {
  readonly epochs: readonly EpochPlan<Group>[];
  readonly steps: number;
}

/** Lays out epochs one after the other. */
export function layOut<Group extends Modality | null>(
  epochs: readonly Pick<EpochPlan<Group>, 'group' | 'steps'>[],
): Plan<Group> {
  let firstStep = 0;
  const laid = epochs.map(({ group, steps }, epoch) => {
    const plan: EpochPlan<Group> = { epoch, group, steps, firstStep };
    firstStep += steps;
    return plan;
  });
  return { epochs: laid, steps: firstStep };
}

/** The epoch that a step belongs to. @param step 0 … plan.steps − 1 */
export function epochOf<Group extends Modality | null>(plan: Plan<Group>, step: number): EpochPlan<Group> {
  const found = plan.epochs.findLast((e) => e.firstStep <= step);
  if (!found || step >= plan.steps)
    throw new UnimissError('internal', `step ${step} is outside the ${plan.steps} steps of the run`);
  return found;
}
