import type { Random } from '../random.ts';
import type { Volume } from '../types.ts';
import type { Views3DOptions } from './options.ts';

type Triple = readonly [slices: number, x: number, y: number];

/** A cuboid of whole voxels in the indices of a volume. Outside the volume it stands for padding (0 HU). */
export type Cuboid = { start: Triple; size: Triple };

/**
 * The cuboid of a volume after padding to at least `padTo`: in plane at the end, slices on both sides (the odd one at the end).
 */
export function paddedCuboid(shape: Triple, padTo: Triple): Cuboid {
  const missing = Math.max(0, padTo[0] - shape[0]);
  const before = missing === 0 ? 0 : Math.floor(missing / 2); // 0, never -0
  return {
    start: [before === 0 ? 0 : -before, 0, 0],
    size: [shape[0] + missing, Math.max(shape[1], padTo[1]), Math.max(shape[2], padTo[2])],
  };
}

/**
 * Draws the crop for both views: all slices, and in plane the size of a view times a factor from `parentCrop`, drawn per axis;
 * factor 1 if that does not fit.
 * @param within the padded volume; at least as large as a view
 */
export function drawParentCrop(random: Random, within: Cuboid, { size, parentCrop }: Views3DOptions): Cuboid {
  const side = (axis: 1 | 2) => {
    const drawn = Math.trunc(size[axis] * random.uniform(...parentCrop));
    return drawn <= within.size[axis] ? drawn : size[axis];
  };
  return placeRandomly(random, within, [within.size[0], side(1), side(2)]);
}

/**
 * Draws one view's crop: consecutive slices, and in plane the size of a view times a factor from `crop`, drawn per axis, at most
 * the size of the parent.
 * @param within the parent crop; at least as large as a view
 */
export function drawViewCrop(random: Random, within: Cuboid, { size, crop }: Views3DOptions): Cuboid {
  const side = (axis: 1 | 2) =>
    Math.min(within.size[axis], Math.max(1, Math.trunc(size[axis] * random.uniform(...crop))));
  return placeRandomly(random, within, [size[0], side(1), side(2)]);
}

function placeRandomly(random: Random, within: Cuboid, size: Triple): Cuboid {
  const start = (axis: 0 | 1 | 2) => within.start[axis] + random.int(within.size[axis] - size[axis] + 1);
  return { start: [start(0), start(1), start(2)], size };
}

/**
 * Copies a cuboid from a volume, divided by `divisor`; 0 outside the volume.
 * @returns [slices, x, y] of the cuboid's size, a new array
 */
export function cutOut(volume: Volume, { start, size }: Cuboid, divisor: number): Float32Array {
  const [slices, xs, ys] = volume.shape;
  const out = new Float32Array(size[0] * size[1] * size[2]);
  const scale = 1 / divisor;
  const yFrom = Math.max(0, -start[2]);
  const yTo = Math.min(size[2], ys - start[2]);
  for (let d = Math.max(0, -start[0]); d < Math.min(size[0], slices - start[0]); d++) {
    for (let x = Math.max(0, -start[1]); x < Math.min(size[1], xs - start[1]); x++) {
      const from = ((start[0] + d) * xs + start[1] + x) * ys + start[2];
      const to = (d * size[1] + x) * size[2];
      for (let y = yFrom; y < yTo; y++) out[to + y] = volume.data[from + y]! * scale;
    }
  }
  return out;
}
