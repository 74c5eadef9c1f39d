import { readHeader } from 'nifti-reader-js';
import { UnimissError } from '../../../protocol/errors.ts';
import { limits } from './limits.ts';

/** Rows x, y, z of the map from voxel indices (i, j, k, 1) to RAS millimetres: x to the patient's right, y to the front, z up. */
export type Affine = readonly [AffineRow, AffineRow, AffineRow];
type AffineRow = readonly [number, number, number, number];

/** Numeric types by their code in the NIfTI standard (`datatype`), with bytes per voxel. */
export const niftiTypes = {
  2: { name: 'uint8', bytes: 1 },
  4: { name: 'int16', bytes: 2 },
  8: { name: 'int32', bytes: 4 },
  16: { name: 'float32', bytes: 4 },
  64: { name: 'float64', bytes: 8 },
  256: { name: 'int8', bytes: 1 },
  512: { name: 'uint16', bytes: 2 },
  768: { name: 'uint32', bytes: 4 },
  1024: { name: 'int64', bytes: 8 },
  1280: { name: 'uint64', bytes: 8 },
} as const;
export type NiftiTypeCode = keyof typeof niftiTypes;
export type NiftiTypeName = (typeof niftiTypes)[NiftiTypeCode]['name'];

const refusedTypes: Record<number, string> = {
  1: 'binary',
  32: 'complex64',
  128: 'RGB',
  1536: 'float128',
  1792: 'complex128',
  2048: 'complex256',
  2304: 'RGBA',
};

/** What is known of a NIfTI volume from its header alone. */
export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** Voxels along i, j, k (i fastest in the file). */
  readonly size: readonly [number, number, number];
  readonly type: NiftiTypeCode;
  /** Byte at which the voxels start. */
  readonly offset: number;
  /** Bytes of all voxels. */
  readonly dataBytes: number;
  /** value = slope · stored + intercept. */
  readonly slope: number;
  readonly intercept: number;
  readonly affine: Affine;
  /** False where the header has no usable spacing: missing, zero, or what writers put when they know none (1×1×1 mm at the origin). */
  readonly spacingKnown: boolean;
}

/** Bytes of the header by version; the reader gets exactly these, so that it never follows a header extension. */
export const headerBytes = { 1: 348, 2: 540 } as const;

/**
 * Reads and checks a NIfTI-1 or NIfTI-2 header (https://nifti.nimh.nih.gov/nifti-1, nifti-2) before anything is allocated for its voxels.
 * Affine: of sform and qform the one with the higher code (sform on a tie), else the spacings (method 1 of the standard), in millimetres.
 * @param start the first bytes of the (uncompressed) file, at least 540 where there are so many
 * @throws UnimissError('data') that names `path` and what is wrong: no NIfTI, header/image pair, 4-D, type that is not numeric, sizes beyond `limits`
 */
export function parseNiftiHeader(path: string, start: Buffer): NiftiHeader {
  const fail = (what: string, remedy?: string) => new UnimissError('data', what, { place: path, remedy });
  if (start.length < headerBytes[1]) throw fail(`is too short for a NIfTI header (${start.length} bytes)`);
  const littleEndian = [348, 540].includes(start.readInt32LE(0));
  const sizeField = littleEndian ? start.readInt32LE(0) : start.readInt32BE(0);
  const version = sizeField === 540 ? 2 : 1;
  if (sizeField !== 348 && sizeField !== 540) throw fail('is no NIfTI file: its first number is not 348 or 540');
  const magic = start.toString('latin1', ...(version === 1 ? [344, 347] : [4, 7]));
  if (magic === `ni${version}`) {
    throw fail(
      'is half of a header/image pair',
      'Convert the pair to one .nii.gz, for example with `nifti_tool` or nibabel.',
    );
  }
  if (magic !== `n+${version}`) throw fail('is no NIfTI file: the magic number is missing (Analyze 7.5 is not read)');
  if (start.length < headerBytes[version])
    throw fail(`is too short for a NIfTI-${version} header (${start.length} bytes)`);
  const raw = readHeader(new Uint8Array(start.subarray(0, headerBytes[version])).buffer);

  const size = checkedSize(raw.dims, fail);
  const type = raw.datatypeCode;
  if (!(type in niftiTypes)) {
    throw fail(`has voxels of type ${refusedTypes[type] ?? `number ${type}`}; only plain numbers are read`);
  }
  const { bytes, name } = niftiTypes[type as NiftiTypeCode];
  if (raw.numBitsPerVoxel !== 0 && raw.numBitsPerVoxel !== 8 * bytes) {
    throw fail(`contradicts itself: voxels of type ${name}, but ${raw.numBitsPerVoxel} bits each`);
  }
  const offset = raw.vox_offset === 0 ? headerBytes[version] + 4 : raw.vox_offset;
  if (!Number.isInteger(offset) || offset < headerBytes[version] || offset > 2 ** 24) {
    throw fail(`says that its voxels start at byte ${raw.vox_offset}`);
  }
  // Slope 0 means "not scaled" in the standard; writers also put NaN for it.
  const unscaled = raw.scl_slope === 0 || Number.isNaN(raw.scl_slope);
  const [slope, intercept] = unscaled ? [1, 0] : [raw.scl_slope, raw.scl_inter];
  if (!Number.isFinite(slope) || !Number.isFinite(intercept)) {
    throw fail(`scales its values by slope ${slope} and intercept ${intercept}`);
  }
  return {
    version,
    littleEndian,
    size,
    type: type as NiftiTypeCode,
    offset,
    dataBytes: size[0] * size[1] * size[2] * bytes,
    slope,
    intercept,
    ...geometry(raw),
  };
}

function checkedSize(dims: readonly number[], fail: (what: string, remedy?: string) => UnimissError) {
  const rank = dims[0] ?? 0;
  if (!Number.isInteger(rank) || rank < 1 || rank > 7) throw fail(`says that it has ${rank} dimensions`);
  const sizes = Array.from({ length: rank }, (_, i) => dims[i + 1] ?? 0);
  const text = sizes.join('×');
  const bad = sizes.find((n) => !Number.isInteger(n) || n < 1);
  if (bad !== undefined) throw fail(`says that its size is ${text}`);
  if (sizes.slice(3).some((n) => n > 1)) {
    throw fail(`is ${rank}-D (${text}); volumes of three dimensions are read`, 'Split it into one file a volume.');
  }
  const [i = 1, j = 1, k = 1] = sizes;
  if (Math.max(i, j, k) > limits.axis || i * j * k > limits.voxels) {
    throw fail(`claims ${text} voxels, more than the limit of ${limits.voxels} (${limits.axis} along one axis)`);
  }
  if (Math.min(i, j, k) < 2) {
    throw fail(`is a single slice (${text})`, 'Save 2D images as PNG or JPEG.');
  }
  return [i, j, k] as const;
}

type RawHeader = ReturnType<typeof readHeader>;

/** Millimetres in the header's unit of length (xyzt_units, lowest three bits); 0, unknown, is read as mm like everywhere. */
const millimeters: Record<number, number> = { 0: 1, 1: 1000, 2: 1, 3: 0.001 };

function geometry(raw: RawHeader): Pick<NiftiHeader, 'affine' | 'spacingKnown'> {
  const unit = millimeters[raw.xyzt_units & 7] ?? 1;
  const spacing = [1, 2, 3].map((axis) => Math.abs(raw.pixDims[axis] ?? 0));
  const { sform_code, qform_code } = raw;
  const fromSform = sform_code > 0 && sform_code >= qform_code;
  const rows = fromSform ? raw.affine.slice(0, 3) : qform_code > 0 ? qformRows(raw) : diagonalRows(spacing);
  const affine = rows.map((row) => row.map((value) => value * unit)) as unknown as Affine;
  const lengths = [0, 1, 2].map((axis) => Math.hypot(...affine.map((row) => row[axis]!)));
  const usable =
    affine.flat().every(Number.isFinite) && lengths.every((mm) => mm > 1e-3 && mm < 1e3) && determinant(affine) !== 0;
  if (!usable) {
    // A broken map still leaves the spacings, in the standard's default orientation.
    const scaled = spacing.map((mm) => mm * unit);
    const known = scaled.every((mm) => Number.isFinite(mm) && mm > 1e-3 && mm < 1e3);
    return { affine: diagonalRows(known ? scaled : [1, 1, 1]) as unknown as Affine, spacingKnown: known };
  }
  const writersDefault = lengths.every((mm) => Math.abs(mm - 1) < 1e-6) && affine.every((row) => row[3] === 0);
  return { affine, spacingKnown: !writersDefault };
}

/** Method 2 of the standard: rotation by the unit quaternion (a, b, c, d), times the spacings, plus an offset. */
function qformRows(raw: RawHeader): number[][] {
  const { quatern_b: b, quatern_c: c, quatern_d: d } = raw;
  const squared = 1 - (b * b + c * c + d * d);
  // A quaternion of 180° rotations may come out slightly above length 1 by rounding.
  const a = squared > 1e-7 ? Math.sqrt(squared) : 0;
  const norm = Math.hypot(a, b, c, d) || 1;
  const [w, x, y, z] = [a / norm, b / norm, c / norm, d / norm];
  const rotation = [
    [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), w * w + y * y - x * x - z * z, 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), w * w + z * z - x * x - y * y],
  ];
  const flip = (raw.pixDims[0] ?? 1) < 0 ? -1 : 1;
  const scale = [1, 2, 3].map((axis) => Math.abs(raw.pixDims[axis] ?? 0) * (axis === 3 ? flip : 1));
  const origin = [raw.qoffset_x, raw.qoffset_y, raw.qoffset_z];
  return rotation.map((row, r) => [...row.map((value, axis) => value * scale[axis]!), origin[r]!]);
}

function diagonalRows(spacing: readonly number[]): number[][] {
  return [0, 1, 2].map((r) => [0, 1, 2, 3].map((axis) => (axis === r ? spacing[r]! : 0)));
}

function determinant([[a, b, c], [d, e, f], [g, h, i]]: Affine): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}
