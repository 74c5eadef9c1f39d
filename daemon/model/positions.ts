import type { Modality } from '../../protocol/modality.ts';

/** Weights of the four neighbours at distances 1 + t, t, 1 − t, 2 − t (Keys 1981, a = −0.75). */
function cubicWeights(t: number): number[] {
  const a = -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/**
 * The matrix [target, source] that resizes one axis of a position embedding: cubic for pictures, linear for volumes. The source
 * coordinate of a target cell is (i + ½) · source / (target + 0.1) − ½: the reference adds 0.1 to the target so that rounding
 * does not lose a cell, and passes the scale on. An axis that keeps its length is not resized.
 */
export function resizeMatrix(modality: Modality, source: number, target: number): Float32Array {
  const matrix = new Float32Array(target * source);
  const put = (row: number, cell: number, weight: number) => {
    const column = Math.min(Math.max(cell, 0), source - 1);
    matrix[row * source + column]! += weight;
  };
  for (let row = 0; row < target; row++) {
    const x = ((row + 0.5) * source) / (target + 0.1) - 0.5;
    if (modality === '2D') {
      const cell = Math.floor(x);
      cubicWeights(x - cell).forEach((weight, i) => {
        put(row, cell - 1 + i, weight);
      });
    } else {
      const clamped = Math.max(x, 0);
      const cell = Math.floor(clamped);
      put(row, cell, 1 - (clamped - cell));
      put(row, cell + 1, clamped - cell);
    }
  }
  return matrix;
}
