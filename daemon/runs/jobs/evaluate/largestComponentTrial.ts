import { ignoredLabel, type Size3 } from '../../../data/prepared/types.ts';
import { keepLargest } from '../../../infer/largestComponent.ts';

/** Labels of a case by class numbers: one map [D, H, W], or a map a class. */
export interface TrialCase {
  readonly size: Size3;
  readonly reference: Uint8Array;
  readonly prediction: Uint8Array;
}

/**
 * Finds the classes of which a prediction should keep the largest component only: those whose mean Dice this raises on the cases that
 * have the class or were given it.
 */
export class LargestComponentTrial {
  /** Change of Dice, by class and case. */
  private readonly changes: number[][];

  /**
   * @param names of all outputs in their order
   * @param exclusive whether the first is the background
   */
  constructor(
    private readonly names: readonly string[],
    private readonly exclusive: boolean,
  ) {
    this.changes = names.map(() => []);
  }

  see({ size, reference, prediction }: TrialCase): void {
    const voxels = size[0] * size[1] * size[2];
    if (this.exclusive) {
      const kept = prediction.slice();
      keepLargest(kept, size, new Set([...this.names.keys()].slice(1)));
      const [before, after] = [prediction, kept].map((map) => diceOf(this.names.length, reference, map));
      for (let k = 1; k < this.names.length; k++) this.add(k, before?.[k], after?.[k]);
      return;
    }
    for (const k of this.names.keys()) {
      const [own, map] = [reference, prediction].map((maps) => maps.subarray(k * voxels, (k + 1) * voxels));
      const kept = map!.slice();
      keepLargest(kept, size, new Set([1]));
      const [before, after] = [map!, kept].map((one) => diceOf(2, own!, one)[1]);
      this.add(k, before, after);
    }
  }

  /** Names of the classes that gain. */
  get classes(): string[] {
    return this.names.filter((_, k) => this.changes[k]!.reduce((sum, change) => sum + change, 0) > 0);
  }

  private add(k: number, before: number | null | undefined, after: number | null | undefined): void {
    // A class that only the prediction had, and that is gone, cannot be: the largest component stays.
    if (typeof before === 'number' && typeof after === 'number') this.changes[k]!.push(after - before);
  }
}

/** Dice of each class number below `classes`, without what the reference does not know; null: neither has it. */
function diceOf(classes: number, reference: Uint8Array, prediction: Uint8Array): (number | null)[] {
  const [both, all] = [new Float64Array(classes), new Float64Array(classes)];
  for (let i = 0; i < reference.length; i++) {
    const [known, given] = [reference[i]!, prediction[i]!];
    if (known === ignoredLabel) continue;
    all[known]!++;
    all[given]!++;
    if (known === given) both[known]!++;
  }
  return Array.from(all, (sum, k) => (sum === 0 ? null : (2 * both[k]!) / sum));
}
