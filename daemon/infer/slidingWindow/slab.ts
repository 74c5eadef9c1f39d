import type { Size3 } from '../../data/prepared/types.ts';

/** The slices of an image that windows still reach, with the weighted means of their scores. */
export interface ScoreSlab {
  /**
   * Adds the scores of a window. What lies outside of the image is left out.
   * @param start place of its first score
   * @param window its size [D, h, w]
   * @param scores [D, h, w, classes]
   * @param importance [D, h, w]
   */
  add(start: Size3, window: Size3, scores: Float32Array, importance: Float32Array): void;
  /** Takes a slice out: its weighted mean scores [h, w, classes]. No later window may reach it; its place is free for another slice. */
  take(z: number, into: Float32Array): void;
}

/** The part of a window that lies in the image, in the window's own places: from the first to before the last. */
export function partInside(start: Size3, window: Size3, size: Size3): { from: number[]; to: number[] } {
  return {
    from: start.map((first) => Math.max(0, -first)),
    to: window.map((length, axis) => Math.min(length, size[axis]! - start[axis]!)),
  };
}

/** Sums of weighted scores, and sums of weights. */
export class Slab implements ScoreSlab {
  /** [depth, h, w, classes]; the slice z of the image is at z mod depth. */
  private readonly scores: Float32Array;
  private readonly weights: Float32Array;
  private readonly plane: number;

  /**
   * @param size of the image's scores [D, h, w]
   * @param depth slices at a time: at least the depth of a window
   */
  constructor(
    private readonly size: Size3,
    private readonly depth: number,
    private readonly classes: number,
  ) {
    this.plane = size[1] * size[2];
    this.scores = new Float32Array(depth * this.plane * classes);
    this.weights = new Float32Array(depth * this.plane);
  }

  add(start: Size3, window: Size3, scores: Float32Array, importance: Float32Array): void {
    const { classes, size } = this;
    const { from, to } = partInside(start, window, size);
    for (let z = from[0]!; z < to[0]!; z++)
      for (let y = from[1]!; y < to[1]!; y++) {
        const row = ((start[0] + z) % this.depth) * this.plane + (start[1] + y) * size[2] + start[2];
        const own = (z * window[1] + y) * window[2];
        for (let x = from[2]!; x < to[2]!; x++) {
          const weight = importance[own + x]!;
          const target = row + x;
          this.weights[target] = this.weights[target]! + weight;
          const [into, out] = [target * classes, (own + x) * classes];
          for (let k = 0; k < classes; k++) this.scores[into + k] = this.scores[into + k]! + weight * scores[out + k]!;
        }
      }
  }

  take(z: number, into: Float32Array): void {
    const { classes, plane } = this;
    const first = (z % this.depth) * plane;
    for (let p = 0; p < plane; p++) {
      const weight = 1 / this.weights[first + p]!;
      const from = (first + p) * classes;
      for (let k = 0; k < classes; k++) into[p * classes + k] = this.scores[from + k]! * weight;
    }
    this.scores.fill(0, first * classes, (first + plane) * classes);
    this.weights.fill(0, first, first + plane);
  }
}
