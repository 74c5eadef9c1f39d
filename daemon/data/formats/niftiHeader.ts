import { readHeader } from 'nifti-reader-js';
import type { UnimissError } from '../../../protocol/errors.ts';
import { imageError } from './imageError.ts';
import { limits } from './limits.ts';
import { type Affine, type AffineRow, type NiftiGeometry, niftiGeometry } from './niftiGeometry.ts';

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

/** The facts about a NIfTI volume in its header. */
export interface NiftiHeader extends NiftiGeometry {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** Voxels along i, j, k (i fastest in the file). */
  readonly size: readonly [number, number, number];
  readonly type: NiftiTypeCode;
  /** Byte at which the voxels start. */
  readonly offset: number;
  /** Volumes in the file, and the number of the one that is read, from 0. */
  readonly volumes: number;
  readonly volume: number;
  /** Bytes of the voxels of one volume. */
  readonly dataBytes: number;
  /** value = slope · stored + intercept. */
  readonly slope: number;
  readonly intercept: number;
}

/** Bytes of the header by version; the reader gets only these, so that it never reads a header extension. */
export const headerBytes = { 1: 348, 2: 540 } as const;

/**
 * Reads and checks a NIfTI-1 or NIfTI-2 header (https://nifti.nimh.nih.gov/nifti-1, nifti-2) before anything is allocated for its voxels.
 * @param start the first bytes of the (uncompressed) file, at least 540 if the file is that long
 * @param volume of several volumes (4-D) the number of the wanted one, from 0; undefined: such a file is refused
 * @throws UnimissError('data') that names `path` and what is wrong: no NIfTI, header/image pair, 4-D, type that is not numeric, sizes beyond `limits`,
 * no sound orientation
 */
export function parseNiftiHeader(path: string, start: Buffer, volume?: number): NiftiHeader {
  const fail = (what: string, remedy?: string) => imageError(path, what, { remedy });
  if (start.length < headerBytes[1]) throw fail(`is too short for a NIfTI header (${start.length} bytes)`);
  const littleEndian = [348, 540].includes(start.readInt32LE(0));
  const sizeField = littleEndian ? start.readInt32LE(0) : start.readInt32BE(0);
  const version = sizeField === 540 ? 2 : 1;
  if (sizeField !== 348 && sizeField !== 540) throw fail('is not a NIfTI file: its first number is not 348 or 540');
  const magic = start.toString('latin1', ...(version === 1 ? [344, 347] : [4, 7]));
  if (magic === `ni${version}`) {
    throw fail(
      'is half of a header/image pair',
      'Convert the pair to one .nii.gz, for example with `nifti_tool` or nibabel.',
    );
  }
  if (magic !== `n+${version}`)
    throw fail('is not a NIfTI file: the magic number is missing (Analyze 7.5 is not supported)');
  if (start.length < headerBytes[version])
    throw fail(`is too short for a NIfTI-${version} header (${start.length} bytes)`);
  const raw = readHeader(new Uint8Array(start.subarray(0, headerBytes[version])).buffer);

  const { size, volumes } = checkedSize(raw.dims, volume, fail);
  const type = raw.datatypeCode;
  if (!(type in niftiTypes)) {
    throw fail(`has voxels of type ${refusedTypes[type] ?? `number ${type}`}; only plain numbers are supported`);
  }
  const { bytes, name } = niftiTypes[type as NiftiTypeCode];
  if (raw.numBitsPerVoxel !== 0 && raw.numBitsPerVoxel !== 8 * bytes) {
    throw fail(`contradicts itself: voxels of type ${name}, but ${raw.numBitsPerVoxel} bits each`);
  }
  const offset = raw.vox_offset === 0 ? headerBytes[version] + 4 : raw.vox_offset;
  if (!Number.isInteger(offset) || offset < headerBytes[version] || offset > 2 ** 24) {
    throw fail(`says that its voxels start at byte ${raw.vox_offset}`);
  }
  // Slope 0 means "not scaled" in the standard; some writers use NaN.
  const unscaled = raw.scl_slope === 0 || Number.isNaN(raw.scl_slope);
  const [slope, intercept] = unscaled ? [1, 0] : [raw.scl_slope, raw.scl_inter];
  if (!Number.isFinite(slope) || !Number.isFinite(intercept)) {
    throw fail(`scales its values by slope ${slope} and intercept ${intercept}`);
  }
  const geometry = niftiGeometry({ ...raw, sform: sformOf(start, version, littleEndian) });
  if ('problem' in geometry) {
    throw fail(geometry.problem, 'Give it a sound sform or qform, for example with nibabel, or take the file out.');
  }
  return {
    version,
    littleEndian,
    size,
    type: type as NiftiTypeCode,
    offset,
    volumes,
    volume: volume ?? 0,
    dataBytes: size[0] * size[1] * size[2] * bytes,
    slope,
    intercept,
    ...geometry,
  };
}

/** The rows srow_x, srow_y, srow_z: float32 from byte 280 in NIfTI-1, float64 from byte 400 in NIfTI-2. */
function sformOf(header: Buffer, version: 1 | 2, littleEndian: boolean): Affine {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const number = (i: number) =>
    version === 1 ? view.getFloat32(280 + 4 * i, littleEndian) : view.getFloat64(400 + 8 * i, littleEndian);
  const row = (r: number): AffineRow => [number(4 * r), number(4 * r + 1), number(4 * r + 2), number(4 * r + 3)];
  return [row(0), row(1), row(2)];
}

function checkedSize(
  dims: readonly number[],
  volume: number | undefined,
  fail: (what: string, remedy?: string) => UnimissError,
) {
  const rank = dims[0] ?? 0;
  if (!Number.isInteger(rank) || rank < 1 || rank > 7) throw fail(`says that it has ${rank} dimensions`);
  const sizes = Array.from({ length: rank }, (_, i) => dims[i + 1] ?? 0);
  const text = sizes.join('×');
  const bad = sizes.find((n) => !Number.isInteger(n) || n < 1);
  if (bad !== undefined) throw fail(`says that its size is ${text}`);
  const [i = 1, j = 1, k = 1, volumes = 1] = sizes;
  if (sizes.slice(4).some((n) => n > 1) || (volumes > 1 && volume === undefined)) {
    throw fail(`is ${rank}-D (${text}); only volumes of three dimensions are supported`, fourDimensions);
  }
  requireVolume(volumes, volume, fail);
  if (Math.max(i, j, k) > limits.axis || i * j * k > limits.voxels) {
    throw fail(`claims ${text} voxels, more than the limit of ${limits.voxels} (${limits.axis} along one axis)`);
  }
  if (Math.min(i, j, k) < 2) {
    throw fail(`is a single slice (${text})`, 'Save 2D images as PNG or JPEG.');
  }
  return { size: [i, j, k] as const, volumes };
}

/** What can be done with a file of several volumes. */
export const fourDimensions =
  'Split it into one file per volume. With labelled images, and to predict, one can be chosen: `data.volume`, --volume.';

/** Checks the number of a wanted volume. @throws UnimissError('data') if a file of so many volumes does not have it */
export function requireVolume(
  volumes: number,
  volume: number | undefined,
  fail: (what: string, remedy?: string) => UnimissError,
): void {
  if (volume === undefined || (Number.isInteger(volume) && volume >= 0 && volume < volumes)) return;
  const has = volumes === 1 ? 'holds one volume' : `holds ${volumes} volumes`;
  throw fail(`${has}, and not one with the number ${volume}`, `Choose one from 0 to ${volumes - 1}.`);
}
