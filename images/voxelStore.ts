import type { Scaling, StoredVoxels } from '../daemon/data/formats/voxels.ts';
import type { UnimissError } from '../protocol/errors.ts';
import type { ValueRange } from '../protocol/viewer/planes.ts';

/** Voxels as a file stores them, i fastest, while they are being read. */
export interface VoxelStore {
  readonly size: readonly [i: number, j: number, k: number];
  /** All of them; what has not been read yet is 0. */
  readonly voxels: StoredVoxels;
  readonly scaling: Scaling;
  /** Voxels from the first one on that have been read. */
  available: number;
  /** Shown where the voxels have not been read yet; from an earlier time that the image was open. */
  coarse?: CoarseCopy | undefined;
  /** Why reading ended too early; undefined as long as it goes on, and after a sound end. */
  failure: UnimissError | undefined;
}

/** Every n-th voxel of an image along each axis: what is shown where the file has not been read again yet. */
export interface CoarseCopy {
  readonly factor: number;
  readonly size: VoxelStore['size'];
  /** i fastest, as stored; of the type of the image's voxels. */
  readonly voxels: StoredVoxels;
  readonly range: ValueRange;
}

/** The arrays by the name of their type (NIfTI's). */
export const arrayTypes = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export function isComplete({ available, voxels }: VoxelStore): boolean {
  return available >= voxels.length;
}
