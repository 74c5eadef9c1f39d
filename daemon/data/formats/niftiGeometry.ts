import type { readHeader } from 'nifti-reader-js';

/** Rows x, y, z of the map from voxel indices (i, j, k, 1) to RAS millimetres: x to the patient's right, y to the front, z up. */
export type Affine = readonly [AffineRow, AffineRow, AffineRow];
export type AffineRow = readonly [number, number, number, number];

/** The position of a volume's voxels in space. */
export interface NiftiGeometry {
  readonly affine: Affine;
  /**
   * False if the header has no usable spacing: it is missing, zero, or the placeholder of writers that do not know it (1×1×1 mm
   * at the origin).
   */
  readonly spacingKnown: boolean;
  /** Set if the preferred map is unsound and the other one is used: a clause whose subject is the volume. */
  readonly orientationNotice?: string;
}

/** The fields of a header that locate its voxels. */
export type RawGeometry = Pick<
  ReturnType<typeof readHeader>,
  | 'xyzt_units'
  | 'pixDims'
  | 'sform_code'
  | 'qform_code'
  | 'quatern_b'
  | 'quatern_c'
  | 'quatern_d'
  | 'qoffset_x'
  | 'qoffset_y'
  | 'qoffset_z'
> & {
  /** srow_x, srow_y, srow_z as stored. The library's `affine` differs if the qform has the higher code. */
  readonly sform: Affine;
};
type Vector = readonly [number, number, number];

/** One of the header's two maps: sound, or with a clause that says why not. */
type Form = { readonly name: 'sform' | 'qform' } & (
  | { readonly affine: Affine; readonly spacingKnown: boolean; readonly defect?: undefined }
  | { readonly defect: string }
);

/** Millimetres in the header's unit of length (xyzt_units, lowest three bits); 0, unknown, counts as mm, as is usual. */
const millimeters: Record<number, number> = { 0: 1, 1: 1000, 2: 1, 3: 0.001 };
/** The sum b² + c² + d² may exceed 1 by this much, by rounding in files whose writers kept few digits. */
const quaternionTolerance = 1e-3;
/** Volume of the cell that three unit axes span; below this they are in one plane. */
const flatCell = 1e-6;
const notFinite = 'holds values that are NaN or infinite';

/**
 * The map of a NIfTI header: of sform and qform, the one with the higher code (sform on a tie), or the other one if that is
 * unsound. Without either code: the spacings in the standard's default orientation (method 1). A sound quaternion with an
 * unusable spacing still determines the orientation, with 1 mm along each axis.
 * @returns the geometry, or why there is none: a clause whose subject is the volume
 */
export function niftiGeometry(raw: RawGeometry): NiftiGeometry | { readonly problem: string } {
  const unit = millimeters[raw.xyzt_units & 7] ?? 1;
  const forms: Form[] = [];
  if (raw.sform_code > 0) forms.push(sform(raw, unit));
  if (raw.qform_code > 0) forms.push(qform(raw, unit));
  if (raw.qform_code > raw.sform_code) forms.reverse();
  const [preferred, other] = forms;
  if (!preferred) {
    const { spacing, known } = spacingOf(raw, unit);
    return geometry(scaled(identity, spacing, [0, 0, 0]), known);
  }
  if (preferred.defect === undefined) return geometry(preferred.affine, preferred.spacingKnown);
  if (other && other.defect === undefined) {
    const orientationNotice = `has an unusable ${preferred.name} (it ${preferred.defect}); its ${other.name} is used`;
    return { ...geometry(other.affine, other.spacingKnown), orientationNotice };
  }
  const defects = forms.map(({ name, defect }) => `its ${name} ${defect}`);
  return { problem: `has no usable orientation: ${defects.join(', and ')}` };
}

function geometry(affine: Affine, known: boolean): NiftiGeometry {
  const writersDefault =
    lengthsOf(affine).every((mm) => Math.abs(mm - 1) < 1e-6) && affine.every((row) => row[3] === 0);
  return { affine, spacingKnown: known && !writersDefault };
}

function sform(raw: RawGeometry, unit: number): Form {
  const inMillimeters = (row: AffineRow): AffineRow => [row[0] * unit, row[1] * unit, row[2] * unit, row[3] * unit];
  const [x, y, z] = raw.sform;
  const affine: Affine = [inMillimeters(x), inMillimeters(y), inMillimeters(z)];
  const defect = defectOf(affine);
  return defect === undefined ? { name: 'sform', affine, spacingKnown: true } : { name: 'sform', defect };
}

function defectOf(affine: Affine): string | undefined {
  if (!affine.flat().every(Number.isFinite)) return notFinite;
  const lengths = lengthsOf(affine);
  if (!lengths.every(isSpacing)) return `has voxels of ${lengths.map((mm) => +mm.toPrecision(3)).join('×')} mm`;
  const cell = Math.abs(determinant(affine)) / (lengths[0] * lengths[1] * lengths[2]);
  return cell > flatCell ? undefined : 'has axes that lie in one plane';
}

/** Method 2 of the standard: rotation by the unit quaternion (a, b, c, d), times the spacings, plus an offset. */
function qform(raw: RawGeometry, unit: number): Form {
  const { quatern_b: b, quatern_c: c, quatern_d: d } = raw;
  const origin: Vector = [raw.qoffset_x * unit, raw.qoffset_y * unit, raw.qoffset_z * unit];
  if (![b, c, d, ...origin].every(Number.isFinite)) return { name: 'qform', defect: notFinite };
  const squared = 1 - (b * b + c * c + d * d);
  if (squared < -quaternionTolerance) return { name: 'qform', defect: 'holds a quaternion that is no rotation' };
  // Rounding may make a quaternion of a 180° rotation slightly longer than 1.
  const a = squared > 1e-7 ? Math.sqrt(squared) : 0;
  const norm = Math.hypot(a, b, c, d);
  const [w, x, y, z] = [a / norm, b / norm, c / norm, d / norm];
  const rotation: readonly [Vector, Vector, Vector] = [
    [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), w * w + y * y - x * x - z * z, 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), w * w + z * z - x * x - y * y],
  ];
  const flip = (raw.pixDims[0] ?? 1) < 0 ? -1 : 1;
  const { spacing, known } = spacingOf(raw, unit);
  const affine = scaled(rotation, [spacing[0], spacing[1], spacing[2] * flip], origin);
  return { name: 'qform', affine, spacingKnown: known };
}

/** The header's spacings in mm; 1×1×1 if one of them is impossible. */
function spacingOf(raw: RawGeometry, unit: number): { spacing: Vector; known: boolean } {
  const [x, y, z] = [1, 2, 3].map((axis) => Math.abs(raw.pixDims[axis] ?? 0) * unit) as [number, number, number];
  const known = [x, y, z].every(isSpacing);
  return { spacing: known ? [x, y, z] : [1, 1, 1], known };
}

function isSpacing(mm: number): boolean {
  return mm > 1e-3 && mm < 1e3;
}

const identity: readonly [Vector, Vector, Vector] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

function scaled([r0, r1, r2]: readonly [Vector, Vector, Vector], scale: Vector, origin: Vector): Affine {
  const row = (r: Vector, offset: number): AffineRow => [r[0] * scale[0], r[1] * scale[1], r[2] * scale[2], offset];
  return [row(r0, origin[0]), row(r1, origin[1]), row(r2, origin[2])];
}

function lengthsOf([x, y, z]: Affine): [number, number, number] {
  return [Math.hypot(x[0], y[0], z[0]), Math.hypot(x[1], y[1], z[1]), Math.hypot(x[2], y[2], z[2])];
}

function determinant([[a, b, c], [d, e, f], [g, h, i]]: Affine): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}
