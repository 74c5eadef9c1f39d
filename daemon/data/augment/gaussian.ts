/** How an image continues beyond its border: … c b | a b c … (edge pixel once) or … b a | a b c … (edge pixel twice). */
export type Mirror = 'edgeOnce' | 'edgeTwice';

/** One side of a Gaussian kernel: `[0]` is the centre, `[radius]` the outermost tap; both sides together sum to 1. */
export function gaussianKernel(sigma: number, radius: number): Float64Array {
  const half = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp((-0.5 * i * i) / (sigma * sigma)));
  const sum = half[0]! + 2 * half.slice(1).reduce((a, b) => a + b, 0);
  return half.map((weight) => weight / sum);
}

/** The index inside 0 … length − 1 to which `index` (any whole number) is mirrored, repeatedly if necessary. */
export function mirrorIndex(index: number, length: number, mirror: Mirror): number {
  if (length === 1) return 0;
  const period = mirror === 'edgeOnce' ? 2 * (length - 1) : 2 * length;
  const phase = ((index % period) + period) % period;
  if (phase < length) return phase;
  return mirror === 'edgeOnce' ? period - phase : period - 1 - phase;
}

/** An image in an array. */
export interface BlurTarget {
  readonly values: Float32Array;
  /** Index of its first value. */
  readonly offset: number;
  /** [height, width, channels] */
  readonly size: readonly [number, number, number];
}

/**
 * Convolves one image with a symmetric kernel along its rows and then along its columns.
 *
 * @param target its values are replaced by the result
 * @param kernel one side of it, from `gaussianKernel`
 * @param scratch at least height · width · channels long; its content is lost
 */
export function blurSeparably(
  { values: image, offset, size: [height, width, channels] }: BlurTarget,
  kernel: Float64Array,
  mirror: Mirror,
  scratch: Float32Array,
): void {
  const radius = kernel.length - 1;
  const length = width * channels;
  const margin = radius * channels;
  const line = new Float64Array(length + 2 * margin);
  for (let y = 0; y < height; y++) {
    const start = offset + y * length;
    for (let i = 0; i < length; i++) line[margin + i] = image[start + i]!;
    for (let x = 1; x <= radius; x++) {
      const before = mirrorIndex(-x, width, mirror);
      const behind = mirrorIndex(width - 1 + x, width, mirror);
      for (let c = 0; c < channels; c++) {
        line[margin - x * channels + c] = image[start + before * channels + c]!;
        line[margin + length + (x - 1) * channels + c] = image[start + behind * channels + c]!;
      }
    }
    for (let i = 0; i < length; i++) {
      const at = margin + i;
      let sum = kernel[0]! * line[at]!;
      for (let k = 1, step = channels; k <= radius; k++, step += channels)
        sum += kernel[k]! * (line[at - step]! + line[at + step]!);
      scratch[y * length + i] = sum;
    }
  }
  const sums = new Float64Array(length);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < length; i++) sums[i] = kernel[0]! * scratch[y * length + i]!;
    for (let k = 1; k <= radius; k++) {
      const above = mirrorIndex(y - k, height, mirror) * length;
      const below = mirrorIndex(y + k, height, mirror) * length;
      const weight = kernel[k]!;
      for (let i = 0; i < length; i++) sums[i] = sums[i]! + weight * (scratch[above + i]! + scratch[below + i]!);
    }
    image.set(sums, offset + y * length);
  }
}
