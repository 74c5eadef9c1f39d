import { ignoredLabel, type Size3 } from '../../../data/prepared/types.ts';
import { keepLargest } from '../../../infer/largestComponent.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

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

  static of({ classes, labels }: Pick<NetworkPlan, 'classes' | 'labels'>): LargestComponentTrial {
    return new LargestComponentTrial(
      classes.map(({ name }) => name),
      labels === 'exclusive',
    );
  }

  /** What keeping the largest component changes in the Dice of each class; null: no case of it. */
  changesOf({ size, reference, prediction }: TrialCase): (number | null)[] {
    const voxels = size[0] * size[1] * size[2];
    if (this.exclusive) {
      const kept = prediction.slice();
      keepLargest(kept, size, new Set([...this.names.keys()].slice(1)));
      const [before, after] = [prediction, kept].map((map) => diceOf(this.names.length, reference, map));
      return this.names.map((_, k) => (k === 0 ? null : difference(before?.[k], after?.[k])));
    }
    return this.names.map((_, k) => {
      const [own, map] = [reference, prediction].map((maps) => maps.subarray(k * voxels, (k + 1) * voxels));
      const kept = map!.slice();
      keepLargest(kept, size, new Set([1]));
      const [before, after] = [map!, kept].map((one) => diceOf(2, own!, one)[1]);
      return difference(before, after);
    });
  }

  /** Notes the changes of a case. */
  note(changes: readonly (number | null)[]): void {
    for (const [k, change] of changes.entries()) if (change !== null) this.changes[k]?.push(change);
  }

  /** Names of the classes that gain. */
  get classes(): string[] {
    return this.names.filter((_, k) => this.changes[k]!.reduce((sum, change) => sum + change, 0) > 0);
  }
}

function difference(before: number | null | undefined, after: number | null | undefined): number | null {
  // A class that only the prediction had, and that is gone, cannot be: the largest component stays.
  return typeof before === 'number' && typeof after === 'number' ? after - before : null;
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
