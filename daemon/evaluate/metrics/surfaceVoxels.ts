import type { LabelPair } from './counts.ts';
import type { Box, Grid3 } from './labelGrid.ts';

/** A mask of a box of the image, 1 inside the structure, with a rim of zeros around it on every side (also along the slices). */
export interface BoxMask {
  /** Size without the rim. */
  readonly size: readonly [number, number, number];
  /** [size + 2] along each axis. */
  readonly data: Uint8Array;
}

/** Points on a lattice of `size`, by their index in C order, with an area each where they have different weights. */
export interface SurfacePoints {
  readonly size: readonly [number, number, number];
  readonly indices: Int32Array;
  /** mm² (3D), mm (2D). Absent: every point counts the same. */
  readonly weights?: Float64Array;
}

/** Cuts the mask of a class out of one of the two maps. `table`: membership by value (`valueTable`). */
export function cutMask(
  pair: LabelPair,
  which: 'reference' | 'prediction',
  table: Uint8Array,
  grid: Grid3,
  box: Box,
): BoxMask {
  const [, rows, columns] = grid.shape;
  const [depth, height, width] = box.size;
  const map = pair[which];
  const { reference, ignore = null } = pair;
  const data = new Uint8Array((depth + 2) * (height + 2) * (width + 2));
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++) {
      let from = ((box.start[0] + z) * rows + box.start[1] + y) * columns + box.start[2];
      let to = ((z + 1) * (height + 2) + y + 1) * (width + 2) + 1;
      if (ignore === null)
        for (const end = from + width; from < end; from++, to++) data[to] = table[map[from]! & 0xffff]!;
      else
        for (const end = from + width; from < end; from++, to++)
          data[to] = reference[from] === ignore ? 0 : table[map[from]! & 0xffff]!;
    }
  return { size: box.size, data };
}

/** Voxels that the erosion by the face-connected element removes; what lies outside the image counts as background. */
export function surfaceVoxels({ size, data }: BoxMask, rank: 2 | 3): SurfacePoints {
  const [depth, height, width] = size;
  const row = width + 2;
  const slice = row * (height + 2);
  const found = new IndexList();
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++) {
      let i = (z + 1) * slice + (y + 1) * row + 1;
      const out = (z * height + y) * width;
      for (let x = 0; x < width; x++, i++) {
        if (data[i] === 0) continue;
        const inner = data[i - 1]! & data[i + 1]! & data[i - row]! & data[i + row]!;
        if ((rank === 3 ? inner & data[i - slice]! & data[i + slice]! : inner) === 0) found.add(out + x);
      }
    }
  return { size, indices: found.toArray() };
}

/** A list of 32-bit numbers that grows. */
export class IndexList {
  private data = new Int32Array(1024);
  private length = 0;
  add(index: number): void {
    if (this.length === this.data.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length++] = index;
  }
  toArray(): Int32Array {
    return this.data.slice(0, this.length);
  }
}
