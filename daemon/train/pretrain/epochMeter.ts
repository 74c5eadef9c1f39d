import { type Collapse, effectiveRank, featureDeviation } from '../../evaluate/features/collapse.ts';
import type { OutputCollapse } from '../../evaluate/features/collapseByOutput.ts';
import type { Term } from './loss.ts';
import type { PretrainStepResult } from './types.ts';

/** Feature vectors kept per epoch: enough for a rank of 48 dimensions, few enough for every checkpoint. */
const MOST_FEATURES = 512;

/** Sums over the steps of an epoch so far. */
export interface EpochSums {
  readonly steps: number;
  readonly loss: number;
  readonly entropy: number;
  readonly kl: number;
  /** Of each term of the loss, in the order of the method. */
  readonly terms: readonly TermSums[];
}

/** Sums of a term: its loss, and entropy and divergence of the teacher's output that it follows, nats. */
export interface TermSums {
  readonly loss: number;
  readonly entropy: number;
  readonly kl: number;
}

const nothing: EpochSums = { steps: 0, loss: 0, entropy: 0, kl: 0, terms: [] };

/**
 * Collects the numbers of an epoch's record: mean loss and the signs of collapse. Its sums and features are part of a checkpoint,
 * so that a resumed epoch ends with the same numbers as an uninterrupted one.
 */
export class EpochMeter {
  private current = nothing;
  private ofViews = new KeptFeatures();
  private ofSlices = new KeptFeatures();

  /** @param featureLength columns of the features */
  constructor(readonly featureLength: number) {}

  add(result: PretrainStepResult): void {
    const { steps, loss, entropy, kl, terms } = this.current;
    this.current = {
      steps: steps + 1,
      loss: loss + result.loss,
      entropy: entropy + result.teacherEntropy,
      kl: kl + result.teacherKl,
      terms: result.terms.map((term, i) => ({
        loss: (terms[i]?.loss ?? 0) + term,
        entropy: (terms[i]?.entropy ?? 0) + result.teacherEntropies[i]!,
        kl: (terms[i]?.kl ?? 0) + result.teacherKls[i]!,
      })),
    };
    this.ofViews.add(result.features, this.featureLength);
    if (result.sliceFeatures) this.ofSlices.add(result.sliceFeatures, this.featureLength);
  }

  /** Undefined before the first step of an epoch. */
  get sums(): EpochSums | undefined {
    return this.current.steps > 0 ? { ...this.current } : undefined;
  }

  /** Features of the first images, [n, featureLength]. */
  get features(): Float32Array {
    return this.ofViews.joined();
  }

  /** Features of the slices of the first volumes, [n, featureLength]; empty in 2D. */
  get sliceFeatures(): Float32Array {
    return this.ofSlices.joined();
  }

  /** Continues from the sums and features of a checkpoint. */
  restore(sums: EpochSums, features: Float32Array, sliceFeatures: Float32Array): void {
    this.reset();
    this.current = { ...sums };
    this.ofViews.add(features, this.featureLength);
    this.ofSlices.add(sliceFeatures, this.featureLength);
  }

  /** Begins an epoch. */
  reset(): void {
    this.current = nothing;
    this.ofViews = new KeptFeatures();
    this.ofSlices = new KeptFeatures();
  }

  /** Mean loss, nats. */
  get meanLoss(): number {
    return this.current.loss / this.current.steps;
  }

  /** The signs of collapse; null if the epoch had fewer than two images. */
  collapse(): Collapse | null {
    const { features, featureLength } = this;
    if (features.length / featureLength < 2) return null;
    return {
      teacherEntropy: this.current.entropy / this.current.steps,
      klToUniform: this.current.kl / this.current.steps,
      featureStd: featureDeviation(features, featureLength),
      effectiveRank: effectiveRank(features, featureLength),
    };
  }

  /**
   * The signs of collapse of each output on its own, if the phase has several: a mean hides that one output collapses while the other
   * learns. Null for fewer than two images.
   * @param terms those of the phase
   */
  outputs(terms: readonly Term[]): OutputCollapse[] | null {
    const { steps, terms: sums } = this.current;
    const features = { volume: this.features, slices: this.sliceFeatures };
    if (terms.length < 2 || sums.length < terms.length || features.slices.length / this.featureLength < 2) return null;
    return (['volume', 'slices'] as const).map((output) => {
      const mean = (of: keyof TermSums, wanted: (term: Term) => boolean) => {
        const own = sums.filter((_, i) => wanted(terms[i]!));
        return own.reduce((sum, term) => sum + term[of], 0) / own.length / steps;
      };
      return {
        output,
        teacherEntropy: mean('entropy', ({ teacher }) => teacher === output),
        klToUniform: mean('kl', ({ teacher }) => teacher === output),
        featureStd: featureDeviation(features[output], this.featureLength),
        effectiveRank: effectiveRank(features[output], this.featureLength),
        across: mean('loss', ({ student, teacher }) => teacher === output && student !== output),
      };
    });
  }
}

/** The first features of an epoch. */
class KeptFeatures {
  private readonly parts: Float32Array[] = [];
  private rows = 0;

  add(features: Float32Array, length: number): void {
    const count = Math.min(features.length / length, MOST_FEATURES - this.rows);
    if (count <= 0) return;
    this.parts.push(features.slice(0, count * length));
    this.rows += count;
  }

  joined(): Float32Array {
    const all = new Float32Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
