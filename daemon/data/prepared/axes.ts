import type { Size3 } from './types.ts';

/** One value for each axis of an array, slowest first. */
export function each<T>(make: (axis: 0 | 1 | 2) => T): [T, T, T] {
  return [make(0), make(1), make(2)];
}

/** Voxels of an array. */
export function voxelCount([slices, height, width]: Size3): number {
  return slices * height * width;
}
