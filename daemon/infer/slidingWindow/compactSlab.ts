import type { Size3 } from '../../data/prepared/types.ts';
import { weightsAlong } from './importance.ts';
import { partInside, type ScoreSlab } from './slab.ts';

/** Largest number that is stored. A bit is left for the rounding of several windows. */
const largest = 32_000;

/** Sums of the weights of all windows along one axis. @param length of the axis @param starts of windows along it */
function totalAlong(length: number, window: number, starts: readonly number[]): Float64Array {
  const weights = weightsAlong(window);
  const total = new Float64Array(length);
  for (const start of new Set(starts))
    for (let i = Math.max(0, -start); i < window && start + i < length; i++) total[start + i]! += weights[i]!;
  return total;
}

/**
 * As `Slab`, in half the memory: mean scores as 16-bit multiples of one unit. Windows lie on a grid and their weights are products, so
 * what all windows of a voxel weigh together is known before the first of them; each adds its share. The unit grows with the largest
 * score that came so far: a mean of eight windows is off by at most 2/10,000 of it, mostly by far less. Fewer than 1 in 10,000 voxels
 * get another label.
 */
export class CompactSlab implements ScoreSlab {
  /** [depth, h, w, classes]; the slice z of the image is at z mod depth. */
  private readonly scores: Int16Array;
  private readonly plane: number;
  private readonly totals: readonly [Float64Array, Float64Array, Float64Array];
  private unit = 0;

  /**
   * @param size of the image's scores [D, h, w]
   * @param depth slices at a time: at least the depth of a window
   * @param window its size [D, h, w]
   * @param starts of all windows that are added, in scores: a grid
   */
  constructor(
    private readonly size: Size3,
    private readonly depth: number,
    private readonly classes: number,
    window: Size3,
    starts: readonly Size3[],
  ) {
    this.plane = size[1] * size[2];
    this.scores = new Int16Array(depth * this.plane * classes);
    const along = (axis: 0 | 1 | 2) =>
      totalAlong(
        size[axis],
        window[axis],
        starts.map((start) => start[axis]),
      );
    this.totals = [along(0), along(1), along(2)];
  }

  add(start: Size3, window: Size3, scores: Float32Array, importance: Float32Array): void {
    this.makeRoomFor(scores);
    if (this.unit === 0) return; // all scores are 0
    const { classes, size, unit, totals, scores: sums } = this;
    const { from, to } = partInside(start, window, size);
    for (let z = from[0]!; z < to[0]!; z++)
      for (let y = from[1]!; y < to[1]!; y++) {
        const row = ((start[0] + z) % this.depth) * this.plane + (start[1] + y) * size[2] + start[2];
        const own = (z * window[1] + y) * window[2];
        const ofRow = unit * totals[0][start[0] + z]! * totals[1][start[1] + y]!;
        for (let x = from[2]!; x < to[2]!; x++) {
          const share = importance[own + x]! / (ofRow * totals[2][start[2] + x]!);
          const [into, out] = [(row + x) * classes, (own + x) * classes];
          for (let k = 0; k < classes; k++)
            sums[into + k] = Math.floor(sums[into + k]! + share * scores[out + k]! + 0.5);
        }
      }
  }

  take(z: number, into: Float32Array): void {
    const { scores, unit } = this;
    const length = this.plane * this.classes;
    const first = (z % this.depth) * length;
    for (let i = 0; i < length; i++) into[i] = scores[first + i]! * unit;
    scores.fill(0, first, first + length);
  }

  /** Raises the unit where a score would be too large a number, and brings what is there to it. */
  private makeRoomFor(scores: Float32Array): void {
    let most = 0;
    for (let i = 0; i < scores.length; i++) {
      const value = Math.abs(scores[i]!);
      if (value > most) most = value;
    }
    if (most <= largest * this.unit) return;
    const before = this.unit;
    // Some more than is needed: windows resemble each other, and what is there is rounded again only rarely.
    this.unit = (1.25 * most) / largest;
    const share = before / this.unit;
    if (before > 0)
      for (let i = 0; i < this.scores.length; i++) this.scores[i] = Math.floor(this.scores[i]! * share + 0.5);
  }
}
