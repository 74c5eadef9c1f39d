import type { ScoreSlice } from './labelSlices.ts';
import { scoreTaps, type Taps } from './scoreTaps.ts';

/** Scores of all classes at all voxels of an output slice, interpolated as `LabelSlices` does it where a class can be the best. */
export class ScoreSlices {
  private readonly rows: readonly Taps[];
  private readonly columns: readonly Taps[];
  /** A row of scores [w, classes], mixed along slices and rows. */
  private readonly row: Float64Array;
  /** [H, W, classes]; the next slice takes its place. */
  private readonly scores: Float32Array;

  /** As the constructor of `LabelSlices`. */
  constructor(
    from: readonly [number, number],
    private readonly to: readonly [number, number],
    private readonly classes: number,
  ) {
    this.rows = scoreTaps(from[0], to[0]);
    this.columns = scoreTaps(from[1], to[1]);
    this.row = new Float64Array(from[1] * classes);
    this.scores = new Float32Array(to[0] * to[1] * classes);
  }

  /**
   * @param share that of `above`, 0 … 1
   * @returns [H, W, classes], valid until the next call
   */
  between(below: ScoreSlice, above: ScoreSlice, share: number): Float32Array {
    const { scores, columns, classes, row } = this;
    for (const [y, taps] of this.rows.entries()) {
      this.mixRow(below.scores, above.scores, share, taps);
      for (let x = 0, at = y * this.to[1] * classes; x < columns.length; x++) {
        const { first, weights } = columns[x]!;
        for (let k = 0; k < classes; k++, at++) {
          let sum = 0;
          for (let c = 0; c < weights.length; c++) sum += weights[c]! * row[(first + c) * classes + k]!;
          scores[at] = sum;
        }
      }
    }
    return scores;
  }

  private mixRow(below: Float32Array, above: Float32Array, share: number, { first, weights }: Taps): void {
    const { row } = this;
    row.fill(0);
    for (const [r, weight] of weights.entries()) {
      const from = (first + r) * row.length;
      for (let i = 0; i < row.length; i++)
        row[i] = row[i]! + weight * ((1 - share) * below[from + i]! + share * above[from + i]!);
    }
  }
}
