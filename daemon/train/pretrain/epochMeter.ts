import { type Collapse, effectiveRank, featureDeviation } from '../../evaluate/features/collapse.ts';
import type { PretrainStepResult } from './types.ts';

/** Feature vectors kept of an epoch: enough for a rank of 48 dimensions, little enough for every checkpoint. */
const MOST_FEATURES = 512;

/** Sums of an epoch so far. They are part of a checkpoint, so that a resumed epoch ends with the numbers of an unbroken one. */
export interface MeterState {
  steps: number;
  loss: number;
  entropy: number;
  kl: number;
  seconds: number;
  /** [n, featureLength] */
  features: Float32Array;
}

/** Gathers what an epoch's record tells: mean loss and the signs of collapse. */
export class EpochMeter {
  private steps = 0;
  private loss = 0;
  private entropy = 0;
  private kl = 0;
  private seconds = 0;
  private features: Float32Array[] = [];
  private kept = 0;

  /** @param featureLength columns of the features */
  constructor(
    private readonly featureLength: number,
    from?: MeterState,
  ) {
    if (!from) return;
    ({ steps: this.steps, loss: this.loss, entropy: this.entropy, kl: this.kl, seconds: this.seconds } = from);
    this.keep(from.features);
  }

  add(result: PretrainStepResult, seconds: number): void {
    this.steps++;
    this.loss += result.loss;
    this.entropy += result.teacherEntropy;
    this.kl += result.teacherKl;
    this.seconds += seconds;
    this.keep(result.features);
  }

  state(): MeterState {
    const { steps, loss, entropy, kl, seconds } = this;
    return { steps, loss, entropy, kl, seconds, features: this.allFeatures() };
  }

  /** Mean loss, nats. */
  get meanLoss(): number {
    return this.loss / this.steps;
  }

  get totalSeconds(): number {
    return this.seconds;
  }

  get count(): number {
    return this.steps;
  }

  /** The signs of collapse; null where the epoch had fewer than two images. */
  collapse(): Collapse | null {
    const features = this.allFeatures();
    const rows = features.length / this.featureLength;
    if (rows < 2) return null;
    return {
      teacherEntropy: this.entropy / this.steps,
      klToUniform: this.kl / this.steps,
      featureStd: featureDeviation(features, this.featureLength),
      effectiveRank: effectiveRank(features, this.featureLength),
    };
  }

  private keep(features: Float32Array): void {
    const rows = Math.min(features.length / this.featureLength, MOST_FEATURES - this.kept);
    if (rows <= 0) return;
    this.features.push(features.slice(0, rows * this.featureLength));
    this.kept += rows;
  }

  private allFeatures(): Float32Array {
    const all = new Float32Array(this.kept * this.featureLength);
    let at = 0;
    for (const part of this.features) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
