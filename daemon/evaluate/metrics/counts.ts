import { UnimissError } from '../../../protocol/errors.ts';
import { type Box, type EvaluatedClass, type Grid3, type LabelArray, unionBox } from './labelGrid.ts';

/** Where and how often a class is in a case. */
export interface ClassCounts {
  /** Voxels of the prediction, of the reference, of both. */
  readonly predicted: number;
  readonly reference: number;
  readonly both: number;
  readonly predictedBox: Box | undefined;
  readonly referenceBox: Box | undefined;
}

/** Label maps of a case: the same grid. Voxels where the reference is `ignore` belong to no class, in either. */
export interface LabelPair {
  readonly reference: LabelArray;
  readonly prediction: LabelArray;
  readonly ignore?: number | null | undefined;
}

/** Membership of every 16-bit value in a class. */
export function valueTable(values: readonly number[]): Uint8Array {
  const table = new Uint8Array(65536);
  for (const value of values) table[value & 0xffff] = 1;
  return table;
}

/**
 * Counts and bounding boxes of all classes in one pass.
 * @throws UnimissError 'data' where the maps do not have the grid's size
 */
export function countClasses(pair: LabelPair, classes: readonly EvaluatedClass[], grid: Grid3): ClassCounts[] {
  const { reference, prediction, ignore = null } = pair;
  const [depth, rows, columns] = grid.shape;
  const length = depth * rows * columns;
  for (const [what, map] of [['reference', reference] as const, ['prediction', prediction] as const])
    if (map.length !== length)
      throw new UnimissError('data', `the ${what} has ${map.length} voxels, but its grid ${grid.shape.join('×')}`, {
        remedy: 'Compare label maps of the same image.',
      });
  const values = [...new Set(classes.flatMap((one) => one.values))];
  const { table, width } = indexOfValues(values);
  const ignored = ignore === null ? -1 : ignore & 0xffff;
  const joint = new Float64Array(width * width);
  const boxes = { reference: new BoxFinder(width), prediction: new BoxFinder(width) };
  let i = 0;
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < rows; y++) {
      let [runStart, runReference, runPrediction] = [0, -1, -1];
      const close = (end: number) => {
        if (runReference < 0) return;
        joint[runReference * width + runPrediction]! += end - runStart;
        if (runReference > 0) boxes.reference.add(runReference, z, y, runStart, end - 1);
        if (runPrediction > 0) boxes.prediction.add(runPrediction, z, y, runStart, end - 1);
      };
      for (let x = 0; x < columns; x++, i++) {
        const value = reference[i]! & 0xffff;
        const hidden = value === ignored;
        const r = hidden ? 0 : table[value]!;
        const p = hidden ? 0 : table[prediction[i]! & 0xffff]!;
        if (r === runReference && p === runPrediction) continue;
        close(x);
        [runStart, runReference, runPrediction] = [x, r, p];
      }
      close(columns);
    }
  return classes.map((one) => {
    const own = [...new Set(one.values)].map((value) => table[value & 0xffff]!);
    const sum = (pick: (index: number) => number) => own.reduce((total, index) => total + pick(index), 0);
    const box = (finder: BoxFinder) =>
      own.reduce<Box | undefined>((found, index) => unionBox(found, finder.boxOf(index)), undefined);
    return {
      reference: sum((r) => rowSum(joint, width, r)),
      predicted: sum((p) => columnSum(joint, width, p)),
      both: sum((r) => own.reduce((total, p) => total + joint[r * width + p]!, 0)),
      referenceBox: box(boxes.reference),
      predictedBox: box(boxes.prediction),
    };
  });
}

/** Small numbers for the values of interest; 0 for all others. */
function indexOfValues(values: readonly number[]): { table: Uint16Array; width: number } {
  const table = new Uint16Array(65536);
  for (const [i, value] of values.entries()) table[value & 0xffff] = i + 1;
  return { table, width: values.length + 1 };
}

const rowSum = (joint: Float64Array, width: number, row: number) =>
  joint.subarray(row * width, (row + 1) * width).reduce((a, b) => a + b, 0);

function columnSum(joint: Float64Array, width: number, column: number): number {
  let sum = 0;
  for (let i = column; i < joint.length; i += width) sum += joint[i]!;
  return sum;
}

/** Bounding boxes of several values, from runs along the fastest axis. */
class BoxFinder {
  private readonly low: Int32Array;
  private readonly high: Int32Array;
  constructor(count: number) {
    this.low = new Int32Array(3 * count).fill(0x7fffffff);
    this.high = new Int32Array(3 * count).fill(-1);
  }
  add(index: number, z: number, y: number, from: number, to: number): void {
    const { low, high } = this;
    const at = 3 * index;
    if (z < low[at]!) low[at] = z;
    if (z > high[at]!) high[at] = z;
    if (y < low[at + 1]!) low[at + 1] = y;
    if (y > high[at + 1]!) high[at + 1] = y;
    if (from < low[at + 2]!) low[at + 2] = from;
    if (to > high[at + 2]!) high[at + 2] = to;
  }
  boxOf(index: number): Box | undefined {
    const at = 3 * index;
    if (this.high[at]! < 0) return undefined;
    const [z, y, x] = [this.low[at]!, this.low[at + 1]!, this.low[at + 2]!];
    return { start: [z, y, x], size: [this.high[at]! - z + 1, this.high[at + 1]! - y + 1, this.high[at + 2]! - x + 1] };
  }
}
