import type { WindowBatch } from '../../../data/loader/labelled/types.ts';
import type { Validation, ValidationValues } from './types.ts';

/** What is fixed of a validation of segmentations. */
export interface SegmentationValidationOptions {
  /** Names of the network's outputs. */
  readonly names: readonly string[];
  readonly overlapping: boolean;
}

/**
 * Dice of each class, pooled over all voxels that were shown, and the loss: mean cross-entropy minus mean soft Dice, as in training.
 * Exclusive classes: the first is the background, which enters no mean. A class that neither occurs nor is predicted has no Dice.
 */
export class SegmentationValidation implements Validation {
  private readonly outputs: number;
  private readonly first: number;
  private readonly hit: Float64Array;
  private readonly predicted: Float64Array;
  private readonly reference: Float64Array;
  private readonly softHit: Float64Array;
  private readonly softPredicted: Float64Array;
  private crossEntropy = 0;
  private counted = 0;

  constructor(private readonly options: SegmentationValidationOptions) {
    this.outputs = options.names.length;
    this.first = options.overlapping ? 0 : 1;
    const zeros = () => new Float64Array(this.outputs);
    [this.hit, this.predicted, this.reference] = [zeros(), zeros(), zeros()];
    [this.softHit, this.softPredicted] = [zeros(), zeros()];
  }

  add({ labels }: Pick<WindowBatch, 'labels'>, logits: Float32Array): void {
    const voxels = logits.length / this.outputs;
    const one = this.options.overlapping ? this.addOverlapping : this.addExclusive;
    for (let v = 0; v < voxels; v++) if (labels[v]! >= 0) one.call(this, labels[v]!, logits, v * this.outputs);
  }

  values(): ValidationValues {
    const { hit, predicted, reference } = this;
    const classes = this.options.names.map((name, k) => ({ name, k })).slice(this.first);
    const measured = classes.filter(({ k }) => predicted[k]! + reference[k]! > 0);
    const dice = measured.map(({ name, k }) => [name, (2 * hit[k]!) / (predicted[k]! + reference[k]!)] as const);
    const mean = dice.reduce((sum, [, value]) => sum + value, 0) / dice.length;
    return {
      ...(this.counted > 0 && { validationLoss: this.loss() }),
      ...(dice.length > 0 && { dice: mean }),
      ...Object.fromEntries(dice.map(([name, value]) => [`dice/${name}`, value])),
    };
  }

  private loss(): number {
    let dice = 0;
    for (let k = this.first; k < this.outputs; k++)
      dice += (2 * this.softHit[k]! + 1e-5) / (this.softPredicted[k]! + this.reference[k]! + 1e-5);
    return this.crossEntropy / this.counted - dice / (this.outputs - this.first);
  }

  private addExclusive(label: number, logits: Float32Array, at: number): void {
    const { outputs } = this;
    let best = 0;
    for (let k = 1; k < outputs; k++) if (logits[at + k]! > logits[at + best]!) best = k;
    const most = logits[at + best]!;
    let total = 0;
    for (let k = 0; k < outputs; k++) total += Math.exp(logits[at + k]! - most);
    for (let k = 0; k < outputs; k++) {
      const probability = Math.exp(logits[at + k]! - most) / total;
      this.softPredicted[k]! += probability;
      if (k === label) this.softHit[k]! += probability;
    }
    this.crossEntropy += most + Math.log(total) - logits[at + label]!;
    this.counted++;
    this.predicted[best]!++;
    this.reference[label]!++;
    if (best === label) this.hit[label]!++;
  }

  private addOverlapping(label: number, logits: Float32Array, at: number): void {
    for (let k = 0; k < this.outputs; k++) {
      const logit = logits[at + k]!;
      const truth = (label >> k) & 1;
      const probability = 1 / (1 + Math.exp(-logit));
      this.softPredicted[k]! += probability;
      this.softHit[k]! += probability * truth;
      this.crossEntropy += Math.max(logit, 0) - logit * truth + Math.log1p(Math.exp(-Math.abs(logit)));
      this.counted++;
      this.reference[k]! += truth;
      if (logit > 0) {
        this.predicted[k]!++;
        this.hit[k]! += truth;
      }
    }
  }
}

/** The class of each voxel, or a bit for each overlapping one: what a prediction of one window says. */
export function voxelClasses(logits: Float32Array, outputs: number, overlapping: boolean): Int32Array {
  const classes = new Int32Array(logits.length / outputs);
  for (let v = 0, at = 0; v < classes.length; v++, at += outputs) {
    let value = 0;
    if (overlapping) {
      for (let k = 0; k < outputs; k++) if (logits[at + k]! > 0) value |= 1 << k;
    } else for (let k = 1; k < outputs; k++) if (logits[at + k]! > logits[at + value]!) value = k;
    classes[v] = value;
  }
  return classes;
}
