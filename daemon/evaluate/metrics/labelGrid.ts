import { UnimissError } from '../../../protocol/errors.ts';

/** Whole numbers a voxel: a label map. */
export type LabelArray = Uint8Array | Int16Array | Uint16Array;

/** Voxels in C order. Two axes are a picture [rows, columns], three a volume [slices, rows, columns]. */
export interface Grid {
  readonly shape: readonly number[];
  /** mm, in the same order of axes. */
  readonly spacing: readonly number[];
}

/** A grid with three axes; a picture has one slice, whose neighbours above and below do not exist. */
export interface Grid3 {
  readonly rank: 2 | 3;
  readonly shape: readonly [number, number, number];
  readonly spacing: readonly [number, number, number];
}

/** A part of a grid: first voxel and size along each axis. */
export interface Box {
  readonly start: readonly [number, number, number];
  readonly size: readonly [number, number, number];
}

/** What to evaluate: a structure, and the values of the label map that belong to it (a region has several). */
export interface EvaluatedClass {
  readonly name: string;
  readonly values: readonly number[];
}

/** The longest axis whose offsets fit the 16 bits in which they are kept. */
const longestAxis = 32_000;

/** @throws UnimissError 'data' for sizes and spacings that no image has */
export function toGrid3({ shape, spacing }: Grid, place?: string): Grid3 {
  const wrong = (what: string) =>
    new UnimissError('data', what, { ...(place !== undefined && { place }), remedy: 'Check the header of the file.' });
  if (shape.length !== spacing.length || (shape.length !== 2 && shape.length !== 3))
    throw wrong(`a shape of ${shape.length} axes with a spacing of ${spacing.length}; 2 or 3 are possible`);
  if (!shape.every((n) => Number.isInteger(n) && n >= 1 && n <= longestAxis))
    throw wrong(`the size ${shape.join('×')} is impossible (1 to ${longestAxis} voxels along each axis)`);
  if (!spacing.every((mm) => Number.isFinite(mm) && mm > 0))
    throw wrong(`the spacing ${spacing.join(', ')} mm is impossible`);
  const [a, b, c] = shape as [number, number, number | undefined];
  const [x, y, z] = spacing as [number, number, number | undefined];
  return c === undefined || z === undefined
    ? { rank: 2, shape: [1, a, b], spacing: [1, x, y] }
    : { rank: 3, shape: [a, b, c], spacing: [x, y, z] };
}

/** Volume of a voxel in ml; of a pixel, its area in cm². */
export function voxelVolume({ rank, spacing: [z, y, x] }: Grid3): number {
  return rank === 3 ? (z * y * x) / 1000 : (y * x) / 100;
}

/** Length of the image's diagonal in mm: what stands for the distance to a structure that is not there. */
export function diagonal({ rank, shape, spacing }: Grid3): number {
  return Math.hypot(...shape.map((n, axis) => (rank === 2 && axis === 0 ? 0 : n * spacing[axis]!)));
}

/** The smallest box around both; undefined where neither exists. */
export function unionBox(a: Box | undefined, b: Box | undefined): Box | undefined {
  if (!a || !b) return a ?? b;
  const axes = [0, 1, 2] as const;
  const start = axes.map((i) => Math.min(a.start[i], b.start[i])) as [number, number, number];
  const end = axes.map((i) => Math.max(a.start[i] + a.size[i], b.start[i] + b.size[i]));
  return { start, size: axes.map((i) => end[i]! - start[i]!) as [number, number, number] };
}
