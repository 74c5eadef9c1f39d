import type { WindowBatch } from '../../../data/loader/labelled/types.ts';
import { intervalsOf } from './intervals.ts';
import type { Validation, ValidationIntervals, ValidationOptions, ValidationValues } from './types.ts';

/** Voxels of one case by class. */
interface Counts {
  readonly hit: Float64Array;
  readonly predicted: Float64Array;
  readonly reference: Float64Array;
}

/**
 * Dice of each class, pooled over all voxels that were shown, and the loss: mean cross-entropy minus mean soft Dice, as in training.
 * Exclusive classes: the first is the background, which enters no mean. A class that neither occurs nor is predicted has no Dice.
 */
export class SegmentationValidation implements Validation {
  private readonly outputs: number;
  private readonly first: number;
  /** By the number of the case, in the order in which they were shown. */
  private readonly cases = new Map<number, Counts>();
  private readonly softHit: Float64Array;
  private readonly softPredicted: Float64Array;
  private crossEntropy = 0;
  private counted = 0;

  constructor(private readonly options: ValidationOptions) {
    this.outputs = options.names.length;
    this.first = options.overlapping ? 0 : 1;
    [this.softHit, this.softPredicted] = [new Float64Array(this.outputs), new Float64Array(this.outputs)];
  }

  add({ labels, windows }: Pick<WindowBatch, 'labels' | 'windows'>, logits: Float32Array): void {
    const voxels = logits.length / this.outputs / windows.length;
    const one = this.options.overlapping ? this.addOverlapping : this.addExclusive;
    for (const [w, { case: number }] of windows.entries()) {
      const counts = this.countsOf(number);
      for (let v = w * voxels; v < (w + 1) * voxels; v++)
        if (labels[v]! >= 0) one.call(this, counts, labels[v]!, logits, v * this.outputs);
    }
  }

  values(): ValidationValues {
    const dice = this.classes.flatMap(({ name, k }) => {
      const value = this.diceOf(k);
      return value === null ? [] : [[`dice/${name}`, value] as const];
    });
    const mean = this.meanDice();
    return {
      ...(this.counted > 0 && { validationLoss: this.loss() }),
      ...(mean !== null && { dice: mean }),
      ...Object.fromEntries(dice),
    };
  }

  intervals(): ValidationIntervals {
    const patients = [...this.cases.keys()].map((number) => this.options.patientOf(number));
    return intervalsOf(patients, [
      ['dice', (weights) => this.meanDice(weights)],
      ...this.classes.map(({ name, k }) => [`dice/${name}`, (weights: Int32Array) => this.diceOf(k, weights)] as const),
    ]);
  }

  /** The classes that enter the mean. */
  private get classes(): { name: string; k: number }[] {
    return this.options.names.map((name, k) => ({ name, k })).slice(this.first);
  }

  /**
   * Dice of a class; null where it neither occurs nor is predicted.
   * @param weights how often each case counts; default: once
   */
  private diceOf(k: number, weights?: Int32Array): number | null {
    let [both, all, i] = [0, 0, 0];
    for (const { hit, predicted, reference } of this.cases.values()) {
      const weight = weights?.[i++] ?? 1;
      both += weight * hit[k]!;
      all += weight * (predicted[k]! + reference[k]!);
    }
    return all === 0 ? null : (2 * both) / all;
  }

  private meanDice(weights?: Int32Array): number | null {
    const known = this.classes.map(({ k }) => this.diceOf(k, weights)).filter((dice) => dice !== null);
    return known.length === 0 ? null : known.reduce((sum, dice) => sum + dice, 0) / known.length;
  }

  private countsOf(number: number): Counts {
    const zeros = () => new Float64Array(this.outputs);
    const own = this.cases.get(number) ?? { hit: zeros(), predicted: zeros(), reference: zeros() };
    this.cases.set(number, own);
    return own;
  }

  private loss(): number {
    let dice = 0;
    for (let k = this.first; k < this.outputs; k++) {
      let reference = 0;
      for (const counts of this.cases.values()) reference += counts.reference[k]!;
      dice += (2 * this.softHit[k]! + 1e-5) / (this.softPredicted[k]! + reference + 1e-5);
    }
    return this.crossEntropy / this.counted - dice / (this.outputs - this.first);
  }

  private addExclusive(counts: Counts, label: number, logits: Float32Array, at: number): void {
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
    counts.predicted[best]!++;
    counts.reference[label]!++;
    if (best === label) counts.hit[label]!++;
  }

  private addOverlapping(counts: Counts, label: number, logits: Float32Array, at: number): void {
    for (let k = 0; k < this.outputs; k++) {
      const logit = logits[at + k]!;
      const truth = (label >> k) & 1;
      const probability = 1 / (1 + Math.exp(-logit));
      this.softPredicted[k]! += probability;
      this.softHit[k]! += probability * truth;
      this.crossEntropy += Math.max(logit, 0) - logit * truth + Math.log1p(Math.exp(-Math.abs(logit)));
      this.counted++;
      counts.reference[k]! += truth;
      if (logit > 0) {
        counts.predicted[k]!++;
        counts.hit[k]! += truth;
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
