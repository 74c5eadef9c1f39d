/** The three anatomical planes. */
export const planeNames = ['axial', 'coronal', 'sagittal'] as const;
export type PlaneName = (typeof planeNames)[number];

/** A place in the volume as it is shown: [slice from the head down, row from front to back, column from the patient's right to the left]. */
export type Place = readonly [slice: number, row: number, column: number];

/** The axes of a place that a plane shows: `across` from left to right, `down`, and `through` from plane to plane. */
export const planeAxes: Readonly<Record<PlaneName, { across: 0 | 1 | 2; down: 0 | 1 | 2; through: 0 | 1 | 2 }>> = {
  axial: { across: 2, down: 1, through: 0 },
  coronal: { across: 2, down: 0, through: 1 },
  sagittal: { across: 1, down: 0, through: 2 },
};

/** Rows x, y, z of a map from indices (and 1) to RAS millimetres. */
export type MillimeterMap = readonly [readonly number[], readonly number[], readonly number[]];

/** Where the voxels of an image lie. */
export interface ImageGeometry {
  /** Length of the axes of a place. A picture has one slice. */
  readonly shape: Place;
  /** mm from voxel to voxel along the axes of a place. */
  readonly spacing: Place;
  /** From a place to RAS millimetres; null for a picture, which has none. */
  readonly toMillimeters: MillimeterMap | null;
  /** Of each axis of a place: the stored axis (0 = i, 1 = j, 2 = k), and whether it runs backwards. */
  readonly stored: readonly { readonly axis: 0 | 1 | 2; readonly reversed: boolean }[];
  /** False: the header says nothing usable about the spacing. */
  readonly spacingKnown: boolean;
}

/** The place's RAS millimetres: x to the patient's right, y to the front, z up. */
export function millimetersOf({ toMillimeters }: ImageGeometry, [s, r, c]: Place): [number, number, number] | null {
  if (!toMillimeters) return null;
  const [x, y, z] = toMillimeters.map(
    ([bySlice = 0, byRow = 0, byColumn = 0, origin = 0]) => bySlice * s + byRow * r + byColumn * c + origin,
  );
  return [x ?? 0, y ?? 0, z ?? 0];
}

/** The place at RAS millimetres, in parts of voxels; it may lie outside the image. null for a picture. */
export function placeOf({ toMillimeters }: ImageGeometry, millimeters: readonly number[]): number[] | null {
  return toMillimeters && inverseMap(toMillimeters).map((row) => appliedRow(row, millimeters));
}

function appliedRow([x = 0, y = 0, z = 0, origin = 0]: readonly number[], [a = 0, b = 0, c = 0]: readonly number[]) {
  return x * a + y * b + z * c + origin;
}

/** Applies a map of three rows and four columns. */
export function applyMap(map: readonly (readonly number[])[], point: readonly number[]): number[] {
  return map.map((row) => appliedRow(row, point));
}

/** The inverse of a map of three rows and four columns. */
export function inverseMap(map: MillimeterMap): number[][] {
  const m = (r: number, c: number) => map[r % 3]?.[c % 3] ?? 0;
  const cofactor = (r: number, c: number) => m(r + 1, c + 1) * m(r + 2, c + 2) - m(r + 1, c + 2) * m(r + 2, c + 1);
  const determinant = m(0, 0) * cofactor(0, 0) + m(0, 1) * cofactor(0, 1) + m(0, 2) * cofactor(0, 2);
  return [0, 1, 2].map((r) => {
    const row = [0, 1, 2].map((c) => cofactor(c, r) / determinant);
    return [...row, -[0, 1, 2].reduce((sum, c) => sum + (row[c] ?? 0) * (map[c]?.[3] ?? 0), 0)];
  });
}

/** The place's indices (i, j, k) in the file, from 0, as nibabel counts them. */
export function voxelOf({ stored, shape }: ImageGeometry, place: Place): [number, number, number] {
  const voxel: [number, number, number] = [0, 0, 0];
  for (const output of [0, 1, 2] as const) {
    const source = stored[output];
    if (source) voxel[source.axis] = source.reversed ? shape[output] - 1 - place[output] : place[output];
  }
  return voxel;
}

const letters = [
  ['R', 'L'],
  ['A', 'P'],
  ['S', 'I'],
] as const;
/** An axis that leans more than this (15°) towards another direction of the body gets its letter too. */
const leaning = Math.sin((15 * Math.PI) / 180);

/**
 * Letters for the direction in which an axis of places grows: the nearest direction of the body first, then those towards which an oblique
 * axis leans ("PS": mostly to the back, but also up).
 * @param axis of a place
 * @param sign −1: the opposite direction
 */
export function directionLetters({ toMillimeters }: ImageGeometry, axis: 0 | 1 | 2, sign: 1 | -1 = 1): string {
  if (!toMillimeters) return '';
  const column = toMillimeters.map((row) => sign * (row[axis] ?? 0));
  const length = Math.hypot(...column) || 1;
  // The axes of a place are those of the body that fit best together; for one axis alone another might be a little nearer.
  const own = [2, 1, 0][axis] ?? 0;
  return column
    .map((mm, world) => ({ world, part: mm / length, letter: letters[world]?.[mm >= 0 ? 0 : 1] ?? '' }))
    .filter(({ world, part }) => world === own || Math.abs(part) > leaning)
    .sort((a, b) => Number(b.world === own) - Number(a.world === own) || Math.abs(b.part) - Math.abs(a.part))
    .map(({ letter }) => letter)
    .join('');
}
