import type { ImageGeometry, Place } from '../protocol/viewer/geometry.ts';
import type { LabelInfo } from '../protocol/viewer/layers.ts';
import type { VoxelStore } from './voxelStore.ts';

/** A label map has at most so many labels: TotalSegmentator has 117, and grey of 8 bits 256. */
const mostLabels = 256;
/** Labels are regions: few of their voxels differ from the one before, most of an image's do. */
const mostChanges = 0.35;
/** How far a label may be from a whole number, for files that scale their values. */
const tolerance = 1e-4;

/** How many voxels a label has, altogether and on each plane along the stored axes. */
interface Count {
  voxels: number;
  readonly along: readonly [Uint32Array, Uint32Array, Uint32Array];
}

/**
 * The labels of an image, without 0; undefined where it holds none: other values than whole numbers from 0 to 65535, too many of them, or values
 * that change from voxel to voxel. Stops at the first that shows it, so that an image costs little.
 */
export function countLabels(store: VoxelStore): ReadonlyMap<number, Count> | undefined {
  const { voxels, size, scaling, available } = store;
  const [ni, nj, nk] = size;
  const counts = new Map<number, Count>();
  let [last, count]: [number, Count | undefined] = [0, undefined];
  let [labelled, changes] = [0, 0];
  for (let p = 0, k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++)
      for (let i = 0; i < ni && p < available; i++, p++) {
        const stored = voxels[p];
        // Most voxels are background.
        if (stored === 0 && scaling.intercept === 0) {
          last = 0;
          continue;
        }
        const value = Number(stored) * scaling.slope + scaling.intercept;
        if (value !== last || !count) {
          const label = Math.round(value);
          if (!(Math.abs(value - label) <= tolerance) || label < 0 || label > 65535) return undefined;
          last = value;
          if (label === 0) continue;
          changes++;
          count = counts.get(label);
          if (!count) {
            if (counts.size === mostLabels) return undefined;
            count = { voxels: 0, along: [new Uint32Array(ni), new Uint32Array(nj), new Uint32Array(nk)] };
            counts.set(label, count);
          }
        }
        if (value === 0) continue;
        labelled++;
        count.voxels++;
        count.along[0][i]!++;
        count.along[1][j]!++;
        count.along[2][k]!++;
        if (labelled > 4096 && changes > mostChanges * labelled && counts.size > 16) return undefined;
      }
  if (counts.size > 16 && changes > mostChanges * labelled) return undefined;
  return counts;
}

/** What is shown of the labels, ordered by their values. */
export function labelInfos(
  counts: ReadonlyMap<number, Count>,
  geometry: ImageGeometry,
  names: ReadonlyMap<number, string>,
): LabelInfo[] {
  const [s, r, c] = geometry.spacing;
  const milliliters = (s * r * c) / 1000;
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([value, { voxels, along }]) => ({
      value,
      name: names.get(value) ?? `label ${value}`,
      voxels,
      milliliters: geometry.spacingKnown ? voxels * milliliters : undefined,
      largest: largestOf(along, geometry),
    }));
}

function largestOf(along: Count['along'], { stored, shape }: ImageGeometry): Place {
  const index = (output: 0 | 1 | 2) => {
    const { axis = 0, reversed = false } = stored[output] ?? {};
    const counts = along[axis];
    const largest = counts.indexOf(counts.reduce((most, count) => Math.max(most, count), 0));
    return reversed ? shape[output] - 1 - largest : largest;
  };
  return [index(0), index(1), index(2)];
}
