/** A value that changes from step to step; steps count from 0. */
export type Schedule = (step: number) => number;

export interface CosineOptions {
  /** Value after warm-up, at the start of the cosine. */
  readonly base: number;
  /** Value at the end of the cosine (reached after the last step). */
  readonly final: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Steps of linear warm-up, from `start` in the first to `base` in the last of them. */
  readonly warmupSteps?: number;
  readonly start?: number;
}

/**
 * Linear warm-up, then half a cosine: the schedule of learning rate, weight decay and momentum in DINO and UniMiSS. Steps after
 * the end of the run have the final value.
 */
export function cosineSchedule({ base, final, steps, warmupSteps = 0, start = 0 }: CosineOptions): Schedule {
  return (step) => {
    if (step < warmupSteps) return warmupSteps === 1 ? start : start + ((base - start) * step) / (warmupSteps - 1);
    if (step >= steps) return final;
    const progress = (step - warmupSteps) / (steps - warmupSteps);
    return final + 0.5 * (base - final) * (1 + Math.cos(Math.PI * progress));
  };
}

/** Linear from `start` in the first step to `end` in step `steps − 1`, then `end`: the teacher temperature's warm-up. */
export function linearSchedule({ start, end, steps }: { start: number; end: number; steps: number }): Schedule {
  return (step) => (step >= steps - 1 ? end : start + ((end - start) * step) / (steps - 1));
}
