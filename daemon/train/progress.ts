import type { Modality } from '../../protocol/modality.ts';
import type { StepRecord } from '../../protocol/records/records.ts';
import type { RunPlan } from './plan.ts';

/** Where a run stands, for a progress line. */
export interface RunProgress {
  /** Steps done. */
  step: number;
  totalSteps: number;
  epoch: number;
  totalEpochs: number;
  phase: Modality;
  loss: number;
  imagesPerSecond: number;
  /** Estimate; undefined until a step of each phase that is still to come was seen. */
  secondsLeft?: number;
}

/** How quickly an older step is forgotten. */
const SMOOTHING = 0.9;

/** Estimates the time left from the recent speed of each phase: a 3D step takes several times as long as a 2D one. */
export class ProgressMeter {
  private readonly secondsPerStep: Partial<Record<Modality, number>> = {};
  private readonly seen: Record<Modality, number> = { '2D': 0, '3D': 0 };

  constructor(private readonly plan: RunPlan) {}

  update(record: StepRecord): RunProgress {
    const { phase } = record;
    const seconds = (record.stepMs + record.waitMs) / 1000;
    const before = this.secondsPerStep[phase];
    // The first step of a phase includes TensorFlow's preparation of the graph.
    const takeOver = before === undefined || this.seen[phase]++ === 0;
    this.secondsPerStep[phase] = takeOver ? seconds : SMOOTHING * before + (1 - SMOOTHING) * seconds;
    return {
      step: record.step + 1,
      totalSteps: this.plan.steps,
      epoch: record.epoch,
      totalEpochs: this.plan.epochs.length,
      phase,
      loss: record.loss,
      imagesPerSecond: record.imagesPerSecond,
      ...this.left(record.step + 1),
    };
  }

  private left(step: number): { secondsLeft?: number } {
    let secondsLeft = 0;
    for (const epoch of this.plan.epochs) {
      const steps = epoch.firstStep + epoch.steps - Math.max(step, epoch.firstStep);
      if (steps <= 0) continue;
      const each = this.secondsPerStep[epoch.phase];
      if (each === undefined) return {};
      secondsLeft += steps * each;
    }
    return { secondsLeft };
  }
}
