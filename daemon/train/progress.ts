import type { Modality } from '../../protocol/modality.ts';
import type { StepRecord } from '../../protocol/records/records.ts';
import { progressValues, type Series } from '../../protocol/records/series.ts';
import type { Plan } from './plan.ts';

/** The progress of a run, for a progress line. */
export interface RunProgress {
  /** Steps done. */
  step: number;
  totalSteps: number;
  epoch: number;
  totalEpochs: number;
  /** What the last step trained on; null: the run has no groups. */
  group: Modality | null;
  loss: number;
  /** The last step's values that the catalogue shows in the progress line. */
  values: Readonly<Record<string, number>>;
  /** Estimate; undefined until one step of each remaining group is done. */
  secondsLeft?: number;
}

/** Weight of older steps in the average. */
const SMOOTHING = 0.9;

/** Estimates the time left from the recent speed of each group: a 3D step takes several times as long as a 2D one. */
export class ProgressMeter {
  private readonly secondsPerStep = new Map<StepRecord['group'], number>();
  private readonly seen = new Set<StepRecord['group']>();

  /** @param series catalogue of the run's numbers */
  constructor(
    private readonly plan: Plan,
    private readonly series: readonly Series[],
  ) {}

  update(record: StepRecord): RunProgress {
    const { group } = record;
    const seconds = (record.stepMs + record.waitMs) / 1000;
    const before = this.secondsPerStep.get(group);
    // The first step of a group includes TensorFlow's preparation of the graph.
    const takeOver = before === undefined || !this.seen.has(group);
    if (before !== undefined) this.seen.add(group);
    this.secondsPerStep.set(group, takeOver ? seconds : SMOOTHING * before + (1 - SMOOTHING) * seconds);
    return {
      step: record.step + 1,
      totalSteps: this.plan.steps,
      epoch: record.epoch,
      totalEpochs: this.plan.epochs.length,
      group,
      loss: record.loss,
      values: progressValues(record.values, this.series),
      ...this.left(record.step + 1),
    };
  }

  private left(step: number): { secondsLeft?: number } {
    let secondsLeft = 0;
    for (const epoch of this.plan.epochs) {
      const steps = epoch.firstStep + epoch.steps - Math.max(step, epoch.firstStep);
      if (steps <= 0) continue;
      const each = this.secondsPerStep.get(epoch.group);
      if (each === undefined) return {};
      secondsLeft += steps * each;
    }
    return { secondsLeft };
  }
}
