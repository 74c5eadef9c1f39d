import { orient, walkAffine } from '../daemon/data/formats/orientation.ts';
import type { StoredGrid } from '../daemon/data/formats/storedVolume.ts';
import type { ImageGeometry, Place } from '../protocol/viewer/geometry.ts';

/** Where the voxels of a stored grid are shown: along the axes of the body that are nearest to its own. Nothing is resampled. */
export function geometryOf(
  { affine, size }: Pick<StoredGrid, 'affine' | 'size'>,
  spacingKnown: boolean,
): ImageGeometry {
  const walk = orient(affine, size);
  const toMillimeters = walkAffine(affine, size, walk);
  const length = (axis: 0 | 1 | 2) => Math.hypot(...toMillimeters.map((row) => row[axis]));
  const stored = walk.sources.map((axis, o) => ({ axis: axis as 0 | 1 | 2, reversed: (walk.steps[o] ?? 0) < 0 }));
  return { shape: walk.shape, spacing: [length(0), length(1), length(2)], toMillimeters, stored, spacingKnown };
}

/** A picture: one slice of square pixels, without a place in the body. */
export function pictureGeometry(width: number, height: number): ImageGeometry {
  const shape: Place = [1, height, width];
  const stored = ([2, 1, 0] as const).map((axis) => ({ axis, reversed: false }));
  return { shape, spacing: [1, 1, 1], toMillimeters: null, stored, spacingKnown: false };
}
