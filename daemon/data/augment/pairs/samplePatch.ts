import { voxelCount } from '../../prepared/axes.ts';
import type { LabelMaps, Patch, PreparedImage, Size3 } from '../../prepared/types.ts';
import { mostWeight } from './mostWeight.ts';

/** Rows of a 3×3 matrix that multiplies offsets from the patch's centre, in voxels. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/**
 * The part of an image of `patch` voxels that begins at `start` [D, H, W]; outside, values are 0 and labels background. nnU-Net
 * pads like this, after normalisation.
 */
export function cutPatch(from: PreparedImage, start: readonly number[], patch: Size3): Patch {
  const { size, channels, labels } = from;
  const values = { values: from.image, maps: channels, size };
  const image = cutMaps(values, start, patch, new Float32Array(channels * voxelCount(patch)));
  if (!labels) return { size: patch, channels, image };
  const marks = { values: labels.data, maps: labels.maps, size };
  const data = cutMaps(marks, start, patch, new Uint8Array(labels.maps * voxelCount(patch)));
  return { size: patch, channels, image, labels: { ...labels, data } };
}

function cutMaps<A extends Float32Array | Uint8Array>(
  { values: from, maps, size }: { readonly values: A; readonly maps: number; readonly size: Size3 },
  start: readonly number[],
  patch: Size3,
  to: A,
): A {
  const [z0, y0, x0] = start as [number, number, number];
  const [first, last] = [Math.max(0, -x0), Math.min(patch[2], size[2] - x0)];
  if (last <= first) return to;
  for (let m = 0; m < maps; m++)
    for (let z = Math.max(0, -z0); z < Math.min(patch[0], size[0] - z0); z++)
      for (let y = Math.max(0, -y0); y < Math.min(patch[1], size[1] - y0); y++) {
        const source = ((m * size[0] + z0 + z) * size[1] + y0 + y) * size[2] + x0;
        to.set(
          from.subarray(source + first, source + last) as never,
          ((m * patch[0] + z) * patch[1] + y) * patch[2] + first,
        );
      }
  return to;
}

/**
 * As `cutPatch`, but offsets from the patch's centre are multiplied by `matrix` first: rotated and scaled. Images are
 * interpolated linearly. A voxel's label is the class with the most weight among its eight neighbours (ties: the smaller number),
 * which equals nnU-Net's linear interpolation of each class wherever one class has at least half of the weight. No new labels
 * arise.
 */
export function warpPatch(from: PreparedImage, start: readonly number[], patch: Size3, matrix: Matrix3): Patch {
  const { size, channels, image, labels } = from;
  const [depth, height, width] = size;
  const count = voxelCount(patch);
  const plane = height * width;
  const volume = depth * plane;
  const out = new Float32Array(channels * count);
  const outLabels = labels && new Uint8Array(labels.maps * count);
  const half = patch.map((n) => (n - 1) / 2) as [number, number, number];
  const center = half.map((h, axis) => start[axis]! + h) as [number, number, number];
  const [a, b, c, d, e, f, g, h, k] = matrix;
  const at = new Int32Array(8);
  const weight = new Float64Array(8);
  let to = 0;
  for (let z = 0; z < patch[0]; z++) {
    const dz = z - half[0];
    for (let y = 0; y < patch[1]; y++) {
      const dy = y - half[1];
      for (let x = 0; x < patch[2]; x++, to++) {
        const dx = x - half[2];
        const sz = center[0] + a * dz + b * dy + c * dx;
        const sy = center[1] + d * dz + e * dy + f * dx;
        const sx = center[2] + g * dz + h * dy + k * dx;
        if (sz <= -1 || sy <= -1 || sx <= -1 || sz >= depth || sy >= height || sx >= width) continue;
        const [z0, y0, x0] = [Math.floor(sz), Math.floor(sy), Math.floor(sx)];
        const [fz, fy, fx] = [sz - z0, sy - y0, sx - x0];
        const base = z0 * plane + y0 * width + x0;
        let n = 0;
        for (let i = 0; i < 8; i++) {
          const [iz, iy, ix] = [i >> 2, (i >> 1) & 1, i & 1];
          const w = (iz ? fz : 1 - fz) * (iy ? fy : 1 - fy) * (ix ? fx : 1 - fx);
          if (w === 0) continue;
          const [pz, py, px] = [z0 + iz, y0 + iy, x0 + ix];
          const inside = pz >= 0 && py >= 0 && px >= 0 && pz < depth && py < height && px < width;
          at[n] = inside ? base + iz * plane + iy * width + ix : -1;
          weight[n++] = w;
        }
        for (let m = 0; m < channels; m++) {
          let sum = 0;
          for (let i = 0; i < n; i++) if (at[i]! >= 0) sum += weight[i]! * image[m * volume + at[i]!]!;
          out[m * count + to] = sum;
        }
        if (labels && outLabels)
          for (let m = 0; m < labels.maps; m++)
            outLabels[m * count + to] = mostWeight(labels.data, m * volume, at, weight, n);
      }
    }
  }
  const warped = { size: patch, channels, image: out };
  return labels && outLabels ? { ...warped, labels: { ...labels, data: outLabels } satisfies LabelMaps } : warped;
}
