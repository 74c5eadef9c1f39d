import type { ValueRange } from '../protocol/viewer/planes.ts';
import type { CoarseCopy, VoxelStore } from './voxelStore.ts';

/** A copy has at most so many bytes: reading it takes about a tenth of a second. */
const mostBytes = 40 * 2 ** 20;

/** Takes the voxels of an image that has been read. */
export function coarseCopyOf(store: VoxelStore, range: ValueRange): CoarseCopy {
  let factor = 2;
  while (bytesOf(coarseSize(store.size, factor), store.voxels.BYTES_PER_ELEMENT) > mostBytes) factor++;
  return { ...coarseVoxels(store, factor), range };
}

/** Every `factor`-th voxel along each axis. */
export function coarseVoxels({ size, voxels }: VoxelStore, factor: number): Omit<CoarseCopy, 'range'> {
  const own = coarseSize(size, factor);
  const [ni, nj, nk] = own;
  const copy = voxels.slice(0, ni * nj * nk);
  let o = 0;
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) {
      let p = factor * (k * size[1] + j) * size[0];
      for (let i = 0; i < ni; i++, p += factor) copy[o++] = voxels[p] ?? 0;
    }
  return { factor, size: own, voxels: copy };
}

export function coarseSize(size: VoxelStore['size'], factor: number): VoxelStore['size'] {
  const [i, j, k] = size.map((n) => Math.ceil(n / factor));
  return [i ?? 1, j ?? 1, k ?? 1];
}

export function bytesOf([i, j, k]: VoxelStore['size'], bytesPerVoxel: number): number {
  return i * j * k * bytesPerVoxel;
}

/** Where the voxel with an index in the image lies in its copy. */
export function coarseIndex({ factor, size: [ni, nj] }: CoarseCopy, size: VoxelStore['size'], p: number): number {
  const i = p % size[0];
  const row = (p - i) / size[0];
  const j = row % size[1];
  const k = (row - j) / size[1];
  return (Math.floor(k / factor) * nj + Math.floor(j / factor)) * ni + Math.floor(i / factor);
}
