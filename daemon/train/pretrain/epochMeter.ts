import { type Collapse, effectiveRank, featureDeviation } from '../../evaluate/features/collapse.ts';
import type { PretrainStepResult } from './types.ts';

/** Feature vectors kept per epoch: enough for a rank of 48 dimensions, few enough for every checkpoint. */
const MOST_FEATURES = 512;

/** Sums over the steps of an epoch so far. */
export interface EpochSums {
  steps: number;
  loss: number;
  entropy: number;
  kl: number;
}

/**
 * Collects the numbers of an epoch's record: mean loss and the signs of collapse. Its sums and features are part of a checkpoint,
 * so that a resumed epoch ends with the same numbers as an uninterrupted one.
 */
export class EpochMeter {
  private current: EpochSums = { steps: 0, loss: 0, entropy: 0, kl: 0 };
  private parts: Float32Array[] = [];
  private kept = 0;

  /** @param featureLength columns of the features */
  constructor(readonly featureLength: number) {}

  add(result: PretrainStepResult): void {
    const { steps, loss, entropy, kl } = this.current;
    this.current = {
      steps: steps + 1,
      loss: loss + result.loss,
      entropy: entropy + result.teacherEntropy,
      kl: kl + result.teacherKl,
    };
    this.keep(result.features);
  }

  /** Undefined before the first step of an epoch. */
  get sums(): EpochSums | undefined {
    return this.current.steps > 0 ? { ...this.current } : undefined;
  }

  /** Features of the first images, [n, featureLength]. */
  get features(): Float32Array {
    const all = new Float32Array(this.kept * this.featureLength);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** Continues from the sums and features of a checkpoint. */
  restore(sums: EpochSums, features: Float32Array): void {
    this.reset();
    this.current = { ...sums };
    this.keep(features);
  }

  /** Begins an epoch. */
  reset(): void {
    this.current = { steps: 0, loss: 0, entropy: 0, kl: 0 };
    this.parts = [];
    this.kept = 0;
  }

  /** Mean loss, nats. */
  get meanLoss(): number {
    return this.current.loss / this.current.steps;
  }

  /** The signs of collapse; null if the epoch had fewer than two images. */
  collapse(): Collapse | null {
    const { features } = this;
    const rows = features.length / this.featureLength;
    if (rows < 2) return null;
    return {
      teacherEntropy: this.current.entropy / this.current.steps,
      klToUniform: this.current.kl / this.current.steps,
      featureStd: featureDeviation(features, this.featureLength),
      effectiveRank: effectiveRank(features, this.featureLength),
    };
  }

  private keep(features: Float32Array): void {
    const rows = Math.min(features.length / this.featureLength, MOST_FEATURES - this.kept);
    if (rows <= 0) return;
    this.parts.push(features.slice(0, rows * this.featureLength));
    this.kept += rows;
  }
}
