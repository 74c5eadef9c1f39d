import type { Size3 } from '../../prepared/types.ts';
import { gaussianKernel, mirrorIndex } from '../gaussian.ts';

/** The kernel ends after this many deviations, as in SciPy. */
const truncate = 4;

/** Blurs a volume [D, H, W] with a Gaussian of `sigma` voxels along each axis that is longer than 1, in place; borders are mirrored. */
export function blurVolume(values: Float32Array, size: Size3, sigma: number): void {
  const kernel = gaussianKernel(sigma, Math.max(1, Math.round(truncate * sigma)));
  const radius = kernel.length - 1;
  let inner = 1;
  for (const axis of [2, 1, 0] as const) {
    const length = size[axis];
    if (length > 1) {
      const block = length * inner;
      const source = new Float32Array(block);
      for (let start = 0; start < values.length; start += block) {
        source.set(values.subarray(start, start + block));
        for (let j = 0; j < length; j++) {
          const to = start + j * inner;
          const center = j * inner;
          for (let i = 0; i < inner; i++) values[to + i] = kernel[0]! * source[center + i]!;
          for (let r = 1; r <= radius; r++) {
            const before = mirrorIndex(j - r, length, 'edgeTwice') * inner;
            const behind = mirrorIndex(j + r, length, 'edgeTwice') * inner;
            const weight = kernel[r]!;
            for (let i = 0; i < inner; i++)
              values[to + i] = values[to + i]! + weight * (source[before + i]! + source[behind + i]!);
          }
        }
      }
    }
    inner *= length;
  }
}
