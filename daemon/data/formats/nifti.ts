import { endianness } from 'node:os';
import type { Volume } from '../types.ts';
import { type Ends, readEnds, readWhole } from './bytes.ts';
import { gunzippedLength, gunzipStart, gunzipWhole, tooLong, tooShort } from './gzip.ts';
import { imageError } from './imageError.ts';
import type { Affine } from './niftiGeometry.ts';
import { type NiftiHeader, niftiTypes, parseNiftiHeader } from './niftiHeader.ts';
import { orient, type Walk, walkAffine } from './orientation.ts';
import { sniffFormat } from './sniff.ts';

/** A NIfTI volume in the axes of `arrayAxes` (orientation.ts). */
export interface NiftiVolume {
  readonly volume: Volume;
  /** Map from array indices [slice, x, y] to RAS millimetres. */
  readonly affine: Affine;
  /** False: the header has no usable spacing, and `volume.spacing` is what it says or 1 mm. */
  readonly spacingKnown: boolean;
  /** Why the preferred one of sform and qform is not used, where it is not: a clause whose subject is the volume. */
  readonly orientationNotice?: string;
}

/** Bytes of a gzip stream that hold a NIfTI header, even with a long file name in front. */
export const gzipHeadBytes = 8192;

/**
 * Reads and checks the header of a `.nii` or `.nii.gz` file from its first bytes, and what its size or its gzip trailer
 * contradict: a truncated file, or a header that lies about its size. A `.nii.gz` whose trailer does not fit
 * is decoded once (without keeping anything), since a stream of several members has such a trailer too.
 */
export async function inspectNifti(path: string): Promise<NiftiHeader> {
  const { header, compressed, ends } = await readStart(path);
  if (compressed) await checkGzipLength(path, header, ends);
  return header;
}

/** Reads and checks the header as `inspectNifti`, but never decodes more than the first bytes of a gzip stream. */
export async function readNiftiHeader(path: string): Promise<NiftiHeader> {
  return (await readStart(path)).header;
}

/** The header, checked against the size of the file. */
async function readStart(path: string): Promise<{ header: NiftiHeader; compressed: boolean; ends: Ends }> {
  const ends = await readEnds(path, gzipHeadBytes, 4);
  if (ends.size === 0) throw imageError(path, 'is empty (0 bytes)');
  const compressed = sniffFormat(ends.head) === 'gz';
  const header = parseNiftiHeader(path, compressed ? await gunzipStart(path, ends.head) : ends.head);
  if (!compressed) checkLength(path, header, ends.size);
  else if (ends.size > mostCompressedBytes(header)) throw tooLong(path, expectedLength(header));
  return { header, compressed, ends };
}

/** A gzip stream can be a little longer than what it holds; much longer means that there is more in it than the header tells. */
function mostCompressedBytes(header: NiftiHeader): number {
  return 1.01 * (expectedLength(header) + sliceBytes(header)) + 2 ** 16;
}

/** Bytes from the start of the (uncompressed) file to the end of the last voxel. */
function expectedLength(header: NiftiHeader): number {
  return header.offset + header.dataBytes;
}

/** Bytes of one slice: a file that holds at least so much more than its header tells has a header that lies. */
function sliceBytes(header: NiftiHeader): number {
  return header.dataBytes / header.size[2];
}

function checkLength(path: string, header: NiftiHeader, length: number): void {
  const expected = expectedLength(header);
  if (length < expected) throw tooShort(path, expected, length);
  if (length >= expected + sliceBytes(header)) throw tooLong(path, expected);
}

async function checkGzipLength(path: string, header: NiftiHeader, { tail }: Ends): Promise<void> {
  const expected = expectedLength(header);
  if (tail.length === 4 && tail.readUInt32LE(0) === expected % 2 ** 32) return;
  checkLength(path, header, await gunzippedLength(path, expected + sliceBytes(header)));
}

/**
 * Reads a NIfTI-1/2 volume, plain or gzip, in any numeric type, byte order and orientation.
 * Values are slope · stored + intercept: HU for CT. int8, uint8 and int16 that need no scaling stay integers
 * (Int16Array), everything else becomes Float32Array. Spacing in mm.
 * @throws UnimissError('data') naming the file and the reason, before allocating for a header beyond `limits`
 */
export async function readNifti(path: string): Promise<NiftiVolume> {
  const { header, compressed } = await readStart(path);
  const expected = expectedLength(header);
  const most = expected + sliceBytes(header);
  const stored = await readWhole(path, compressed ? mostCompressedBytes(header) : most);
  const bytes = compressed ? await gunzipWhole(path, stored, expected, sliceBytes(header)) : stored;
  checkLength(path, header, bytes.length);
  const walk = orient(header.affine, header.size);
  const affine = walkAffine(header.affine, header.size, walk);
  const spacing = [0, 1, 2].map((axis) => Math.hypot(...affine.map((row) => row[axis]!))) as [number, number, number];
  const voxels = storedVoxels(bytes.subarray(header.offset, expected), header);
  const data = walkVoxels(path, voxels, header, walk);
  const { spacingKnown, orientationNotice } = header;
  return {
    volume: { kind: '3D', shape: walk.shape, data, spacing },
    affine,
    spacingKnown,
    ...(orientationNotice !== undefined && { orientationNotice }),
  };
}

type StoredVoxels =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** The voxels as stored, in the byte order of this machine; may swap `bytes` in place. */
function storedVoxels(bytes: Buffer, header: NiftiHeader): StoredVoxels {
  const { name, bytes: width } = niftiTypes[header.type];
  const swap = width > 1 && header.littleEndian !== (endianness() === 'LE');
  const aligned = bytes.byteOffset % width === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
  if (swap) {
    if (width === 2) aligned.swap16();
    else if (width === 4) aligned.swap32();
    else aligned.swap64();
  }
  const at = [aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.length / width] as const;
  switch (name) {
    case 'int8':
      return new Int8Array(...at);
    case 'uint8':
      return new Uint8Array(...at);
    case 'int16':
      return new Int16Array(...at);
    case 'uint16':
      return new Uint16Array(...at);
    case 'int32':
      return new Int32Array(...at);
    case 'uint32':
      return new Uint32Array(...at);
    case 'float32':
      return new Float32Array(...at);
    case 'float64':
      return new Float64Array(...at);
    case 'int64':
      return new BigInt64Array(...at);
    case 'uint64':
      return new BigUint64Array(...at);
  }
}

function walkVoxels(path: string, voxels: StoredVoxels, header: NiftiHeader, walk: Walk): Int16Array | Float32Array {
  const { slope, intercept } = header;
  const small = voxels instanceof Int16Array || voxels instanceof Int8Array || voxels instanceof Uint8Array;
  const keepIntegers = small && slope === 1 && intercept === 0;
  const out = keepIntegers ? new Int16Array(voxels.length) : new Float32Array(voxels.length);
  const [depth, rows, columns] = walk.shape;
  const [sliceStep, rowStep, columnStep] = walk.steps;
  let o = 0;
  for (let d = 0; d < depth; d++) {
    for (let r = 0; r < rows; r++) {
      let p = walk.start + d * sliceStep + r * rowStep;
      for (let c = 0; c < columns; c++, p += columnStep) {
        out[o++] = Number(voxels[p]!) * slope + intercept;
      }
    }
  }
  if (!keepIntegers) refuseNonFinite(path, out, walk.shape);
  return out;
}

/** NaN and infinite values (also those beyond float32) make a volume useless: one of them spreads through the whole network. */
function refuseNonFinite(path: string, data: Int16Array | Float32Array, [, rows, columns]: Volume['shape']): void {
  let count = 0;
  let first = -1;
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i]!)) {
      if (count++ === 0) first = i;
    }
  }
  if (count === 0) return;
  const at = [Math.floor(first / (rows * columns)), Math.floor(first / columns) % rows, first % columns];
  throw imageError(
    path,
    `has ${count} voxels that are NaN or infinite (the first at slice ${at[0]}, row ${at[1]}, column ${at[2]})`,
    { remedy: 'Replace them, for example by -1024 (air), or take the file out.' },
  );
}
