import { blurSeparably, gaussianKernel } from './gaussian.ts';

/** SciPy's gaussian_filter cuts off its kernel here, in standard deviations. */
const truncation = 4;

/**
 * Blurs each slice in plane, in place, with a Gaussian cut off at 4 sigma, mirrored with the edge pixel repeated, like SciPy's
 * gaussian_filter (mode "reflect") on two axes.
 *
 * @param values [slices, height, width]
 * @param sigmas in voxels, one per slice; 0 leaves a slice unchanged
 */
export function blurSlices(
  values: Float32Array,
  [slices, height, width]: readonly [number, number, number],
  sigmas: readonly number[],
): void {
  const scratch = new Float32Array(height * width);
  for (let d = 0; d < slices; d++) {
    const sigma = sigmas[d]!;
    const radius = Math.floor(truncation * sigma + 0.5);
    if (radius > 0)
      blurSeparably(
        { values, offset: d * height * width, size: [height, width, 1] },
        gaussianKernel(sigma, radius),
        'edgeTwice',
        scratch,
      );
  }
}
