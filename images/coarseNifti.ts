import type { Affine } from '../daemon/data/formats/niftiGeometry.ts';
import { encodeNifti } from '../daemon/data/formats/niftiWriter.ts';
import type { StoredGrid } from '../daemon/data/formats/storedVolume.ts';
import { coarseVoxels } from './coarseCopy.ts';
import type { VoxelStore } from './voxelStore.ts';

/** Voxels along an axis of what is drawn in 3D: more would take long over slow lines, and be hardly seen. */
const mostAlong = 192;

/**
 * Every n-th voxel of a volume along each axis as a NIfTI file, where it lies in the body, at most 192 along an axis. Whole numbers stay so, for
 * labels; others are values of 32 bits.
 */
export function coarseNifti(grid: Pick<StoredGrid, 'affine'>, store: VoxelStore): Uint8Array {
  const factor = Math.max(1, Math.ceil(Math.max(...store.size) / mostAlong));
  const { size, voxels } = coarseVoxels(store, factor);
  const [ni, nj, nk] = size;
  const { slope, intercept } = store.scaling;
  const small = voxels instanceof Int16Array || voxels instanceof Uint8Array || voxels instanceof Int8Array;
  const data =
    small && slope === 1 && intercept === 0
      ? voxels instanceof Uint8Array
        ? voxels
        : Int16Array.from(voxels)
      : Float32Array.from({ length: voxels.length }, (_, p) => Number(voxels[p]) * slope + intercept);
  const columns = (row: Affine[number]) => [row[2] * factor, row[1] * factor, row[0] * factor, row[3]] as const;
  const affine = grid.affine.map(columns) as unknown as Affine;
  const length = (axis: 0 | 1 | 2) => Math.hypot(affine[0][axis], affine[1][axis], affine[2][axis]);
  return encodeNifti({ shape: [nk, nj, ni], data, affine, spacing: [length(0), length(1), length(2)] });
}
