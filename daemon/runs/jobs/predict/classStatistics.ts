import type { ClassStatistics } from '../../../../protocol/jobs/predictMessages.ts';
import type { Size3 } from '../../../data/prepared/types.ts';

/** What is measured. */
export interface Measured {
  /** Names of the classes; those of exclusive labels without the background. */
  readonly names: readonly string[];
  readonly size: Size3;
  /** mm, [slice, x, y]; null: unknown. */
  readonly spacing: readonly [number, number, number] | null;
  /** Values of the image's first channel, [D, H, W]. */
  readonly values: ArrayLike<number>;
  /** Exclusive labels: one map [D, H, W] of class numbers, 0 is background. Overlapping: a map a class, 1 where it is there. */
  readonly maps: readonly ArrayLike<number>[];
  readonly exclusive: boolean;
}

/** Volume, mean value and contact with the border of each class. A picture's only slice is no border. */
export function classStatistics({ names, size, spacing, values, maps, exclusive }: Measured): ClassStatistics[] {
  const ml = spacing && (spacing[0] * spacing[1] * spacing[2]) / 1000;
  const sums = names.map(() => ({ voxels: 0, sum: 0, touches: false }));
  for (const [m, map] of maps.entries())
    forEachVoxel(size, (voxel, border) => {
      const label = map[voxel]!;
      const own = label === 0 ? undefined : sums[exclusive ? label - 1 : m];
      if (!own) return;
      own.voxels++;
      own.sum += values[voxel]!;
      own.touches ||= border;
    });
  return sums.map(({ voxels, sum, touches }, k) => ({
    class: names[k]!,
    voxels,
    milliliters: ml === null ? null : voxels * ml,
    mean: voxels === 0 ? null : sum / voxels,
    touchesBorder: touches,
  }));
}

function forEachVoxel([depth, height, width]: Size3, see: (voxel: number, border: boolean) => void): void {
  let voxel = 0;
  for (let z = 0; z < depth; z++) {
    const outer = depth > 1 && (z === 0 || z === depth - 1);
    for (let y = 0; y < height; y++) {
      const edge = outer || y === 0 || y === height - 1;
      for (let x = 0; x < width; x++, voxel++) see(voxel, edge || x === 0 || x === width - 1);
    }
  }
}
