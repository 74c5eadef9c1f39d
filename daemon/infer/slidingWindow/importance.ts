import type { Size3 } from '../../data/prepared/types.ts';

/** Standard deviation of the Gaussian, as a share of the window: nnU-Net's. */
const width = 1 / 8;

/**
 * Weights of a window's voxels [D, H, W]: a Gaussian around its middle, 1 at its highest. The border sees less context, so it counts
 * less; it never counts 0, so that every voxel has a weight.
 */
export function importanceOf(window: Size3): Float32Array {
  const [slices, rows, columns] = window.map(weightsAlong) as [Float64Array, Float64Array, Float64Array];
  const out = new Float32Array(window[0] * window[1] * window[2]);
  let index = 0;
  for (const slice of slices) for (const row of rows) for (const column of columns) out[index++] = slice * row * column;
  return out;
}

/** Weights along one axis, 1 at their highest and never below 10⁻²: those of a window are products of them. */
export function weightsAlong(length: number): Float64Array {
  const deviation = length * width;
  const middle = (length - 1) / 2;
  const values = Float64Array.from({ length }, (_, i) => Math.exp(-((i - middle) ** 2) / (2 * deviation ** 2)));
  const highest = Math.max(...values);
  return values.map((value) => Math.max(1e-2, value / highest));
}
