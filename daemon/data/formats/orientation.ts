import type { Affine } from './niftiGeometry.ts';

/**
 * The order of volumes in memory, slowest axis first: slices from head to feet (towards Inferior), rows of a slice from front to
 * back (Posterior), voxels of a row from the patient's right to the left. This is an axial slice as radiologists view it. The
 * reference's own sub-volumes are stored like this, so they stay unchanged.
 */
export const arrayAxes = 'IPL';

/** How to walk through stored voxels to read them in another orientation. */
export interface Walk {
  /** Length of the output axes. */
  readonly shape: readonly [number, number, number];
  /** Index of the first stored voxel to read. */
  readonly start: number;
  /** Step in the stored voxels for one step along each output axis; negative if the axis is reversed. */
  readonly steps: readonly [number, number, number];
  /** The stored axis (0 = i, 1 = j, 2 = k) of each output axis. */
  readonly sources: readonly [number, number, number];
}

const directions: Record<string, readonly [axis: number, sign: number]> = {
  R: [0, 1],
  L: [0, -1],
  A: [1, 1],
  P: [1, -1],
  S: [2, 1],
  I: [2, -1],
};
const permutations = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/**
 * The walk that reorders voxels of `size` (i fastest) with this affine to the axes `target` (letters of R L A P S I, slowest
 * first). Oblique volumes get the nearest axes: of the six assignments, the one with the largest sum of direction cosines.
 */
export function orient(affine: Affine, size: readonly [number, number, number], target: string = arrayAxes): Walk {
  const lengths = [0, 1, 2].map((axis) => Math.hypot(...affine.map((row) => row[axis]!)) || 1);
  const cosine = (world: number, axis: number) => affine[world]![axis]! / lengths[axis]!;
  const total = (assigned: readonly number[]) =>
    assigned.reduce((sum, axis, world) => sum + Math.abs(cosine(world, axis)), 0);
  const voxelAxisOf = permutations.reduce<readonly number[]>(
    (best, p) => (total(p) > total(best) + 1e-9 ? p : best),
    permutations[0],
  );

  const strides = [1, size[0], size[0] * size[1]];
  let start = 0;
  const axes = [...target].map((letter) => {
    const [world, sign] = directions[letter]!;
    const source = voxelAxisOf[world]!;
    const turned = cosine(world, source) * sign < 0;
    const length = size[source]!;
    if (turned) start += strides[source]! * (length - 1);
    return { source, length, step: turned ? -strides[source]! : strides[source]! };
  });
  return {
    shape: axes.map((axis) => axis.length) as [number, number, number],
    start,
    steps: axes.map((axis) => axis.step) as [number, number, number],
    sources: axes.map((axis) => axis.source) as [number, number, number],
  };
}

/** Where stored voxels lie in the array that a walk reads: index of the voxel (0, 0, 0), and steps along i, j and k. */
export interface Places {
  readonly start: number;
  readonly steps: readonly [number, number, number];
}

/** The other way round of a walk. */
export function placesOf({ shape, steps, sources }: Walk): Places {
  const strides = [shape[1] * shape[2], shape[2], 1] as const;
  const out: [number, number, number] = [0, 0, 0];
  let start = 0;
  for (const axis of [0, 1, 2] as const) {
    const turned = steps[axis] < 0;
    out[sources[axis] as 0 | 1 | 2] = turned ? -strides[axis] : strides[axis];
    if (turned) start += strides[axis] * (shape[axis] - 1);
  }
  return { start, steps: out };
}

/** The affine of the array that a walk reads: from output indices (slowest axis first) to RAS millimetres. */
export function walkAffine(affine: Affine, size: readonly [number, number, number], walk: Walk): Affine {
  return affine.map((row) => {
    const columns = walk.sources.map((source, o) => (walk.steps[o]! < 0 ? -row[source]! : row[source]!));
    const origin = walk.sources.reduce(
      (sum, source, o) => sum + (walk.steps[o]! < 0 ? row[source]! * (size[source]! - 1) : 0),
      row[3],
    );
    return [...columns, origin];
  }) as unknown as Affine;
}
