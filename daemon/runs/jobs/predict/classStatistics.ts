import type { ClassStatistics } from '../../../../protocol/jobs/predictMessages.ts';
import type { Size3 } from '../../../data/prepared/types.ts';

/** What is measured: one map [D, H, W] with class numbers (`numbers`), or one a class. */
export interface Measured {
  readonly names: readonly string[];
  readonly size: Size3;
  /** mm, [slice, x, y]; null: unknown. */
  readonly spacing: readonly [number, number, number] | null;
  /** Values of the image's first channel, [D, H, W]. */
  readonly values: Float32Array;
  /** Whether a voxel has a class. */
  has(voxel: number, label: number): boolean;
}

/** Volume, mean value and contact with the border of each class. A picture's only slice is no border. */
export function classStatistics({ names, size, spacing, values, has }: Measured): ClassStatistics[] {
  const [depth, height, width] = size;
  const ml = spacing && (spacing[0] * spacing[1] * spacing[2]) / 1000;
  const sums = names.map(() => ({ voxels: 0, sum: 0, touches: false }));
  let voxel = 0;
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++, voxel++)
        for (const [k, own] of sums.entries()) {
          if (!has(voxel, k)) continue;
          own.voxels++;
          own.sum += values[voxel]!;
          own.touches ||=
            y === 0 || x === 0 || y === height - 1 || x === width - 1 || (depth > 1 && (z === 0 || z === depth - 1));
        }
  return sums.map(({ voxels, sum, touches }, k) => ({
    class: names[k]!,
    voxels,
    milliliters: ml === null ? null : voxels * ml,
    mean: voxels === 0 ? null : sum / voxels,
    touchesBorder: touches,
  }));
}
