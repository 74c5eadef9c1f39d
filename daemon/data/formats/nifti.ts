import { endianness } from 'node:os';
import { type Ends, readEnds } from './bytes.ts';
import { checkInflation, gunzippedLength, gunzipStart, readPieces, tooLong, tooShort } from './gzip.ts';
import { imageError } from './imageError.ts';
import { caretLabels } from './niftiExtension.ts';
import { headerBytes, type NiftiHeader, niftiTypes, parseNiftiHeader } from './niftiHeader.ts';
import { sniffFormat } from './sniff.ts';
import { type Decoded, type Found, type StoredVolume, volumeOf, walkOf } from './storedVolume.ts';
import { type StoredVoxels, VoxelArranger } from './voxels.ts';

/** Bytes of a gzip stream that contain a NIfTI header, even after a long file name. */
export const gzipHeadBytes = 8192;

/**
 * Reads and checks the header of a `.nii` or `.nii.gz` file from its first bytes, and checks it against the file's size or its
 * gzip trailer. That reveals a truncated file, or a header with a wrong size. A `.nii.gz` whose trailer does not fit is decoded
 * once (without keeping the data), since a stream of several members has such a trailer too.
 */
export async function inspectNifti(path: string, options: ReadOptions = {}): Promise<NiftiHeader> {
  const { header, compressed, ends } = await readStart(path, options);
  if (compressed) await checkGzipLength(path, header, ends);
  return header;
}

/** Reads and checks the header like `inspectNifti`, but only decodes the first bytes of a gzip stream. */
export async function readNiftiHeader(path: string): Promise<NiftiHeader> {
  return (await readStart(path)).header;
}

interface Start {
  readonly header: NiftiHeader;
  readonly compressed: boolean;
  readonly ends: Ends;
}

/** The header, checked against the size of the file. */
async function readStart(path: string, { volume }: ReadOptions = {}): Promise<Start> {
  const ends = await readEnds(path, gzipHeadBytes, 4);
  if (ends.size === 0) throw imageError(path, 'is empty (0 bytes)');
  const compressed = sniffFormat(ends.head) === 'gz';
  const header = parseNiftiHeader(path, compressed ? await gunzipStart(path, ends.head) : ends.head, volume);
  if (!compressed) checkLength(path, header, ends.size);
  else if (ends.size > mostCompressedBytes(header)) throw tooLong(path, expectedLength(header));
  return { header, compressed, ends };
}

/** A gzip stream can be a little longer than its content; if it is much longer, it contains more than the header says. */
function mostCompressedBytes(header: NiftiHeader): number {
  return 1.01 * (expectedLength(header) + sliceBytes(header)) + 2 ** 16;
}

/** Bytes from the start of the (uncompressed) file to the end of the last voxel. */
function expectedLength(header: NiftiHeader): number {
  return header.offset + header.volumes * header.dataBytes;
}

/** Bytes of one slice: if a file has at least this much more data than its header says, the header is wrong. */
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

/** The part of a file to read. */
export interface ReadOptions {
  /** The number of the volume to read, from 0, in a file with several (4-D). Without it, a file with several is refused. */
  readonly volume?: number | undefined;
}

/**
 * Reads a NIfTI-1/2 volume, plain or gzip, in any numeric type, byte order and orientation. Values are slope · stored +
 * intercept: HU for CT. int8, uint8 and int16 without scaling stay integers (Int16Array), everything else becomes Float32Array.
 * Spacing in mm.
 * @throws UnimissError('data') naming the file and the reason, before allocating for a header beyond `limits`
 */
export async function readNifti(path: string, options: ReadOptions = {}): Promise<StoredVolume> {
  const start = await readStart(path, options);
  const { header } = start;
  const { name, bytes: width } = niftiTypes[header.type];
  const small = name === 'int8' || name === 'uint8' || name === 'int16';
  const arranger = new VoxelArranger(path, { small, scaling: header, walk: walkOf(header) });
  let rest: Buffer = Buffer.alloc(0);
  const head = await readContent(path, start, (piece) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    const whole = bytes.length - (bytes.length % width);
    arranger.add(storedVoxels(bytes.subarray(0, whole), header));
    rest = bytes.subarray(whole);
  });
  return volumeOf(foundIn(head, header), arranger.finish());
}

/** The stored voxels of a NIfTI file and their grid, with the label names of its Caret extension. Throws UnimissError('data'). */
export async function decodeNifti(path: string, options: ReadOptions = {}): Promise<Decoded> {
  const start = await readStart(path, options);
  const { header } = start;
  const voxels = Buffer.from(new ArrayBuffer(header.dataBytes));
  let at = 0;
  const head = await readContent(path, start, (piece) => {
    at += piece.copy(voxels, at);
  });
  const { slope, intercept } = header;
  return { voxels: storedVoxels(voxels, header), scaling: { slope, intercept }, ...foundIn(head, header) };
}

/**
 * Goes through a file's content once.
 * @param use takes the bytes of the wanted volume's voxels, piece by piece
 * @returns the bytes before the voxels
 */
async function readContent(
  path: string,
  { header, compressed, ends }: Start,
  use: (piece: Buffer) => void,
): Promise<Buffer> {
  const expected = expectedLength(header);
  if (compressed) checkInflation(path, ends.size, expected);
  const head = Buffer.alloc(header.offset);
  const first = header.offset + header.volume * header.dataBytes;
  let at = 0;
  for await (const piece of readPieces(path, compressed)) {
    if (at < head.length) piece.copy(head, at);
    const from = Math.max(0, first - at);
    const to = Math.min(piece.length, first + header.dataBytes - at);
    if (from < to) use(piece.subarray(from, to));
    at += piece.length;
    if (at >= expected + sliceBytes(header)) throw tooLong(path, expected);
  }
  checkLength(path, header, at);
  return head;
}

function foundIn(head: Buffer, header: NiftiHeader): Found {
  const { size, affine, type, spacingKnown, orientationNotice, version } = header;
  const labelNames = caretLabels(head, header);
  return {
    grid: {
      format: 'nifti',
      size,
      affine,
      type: niftiTypes[type].name,
      niftiHeader: new Uint8Array(head.subarray(0, headerBytes[version])),
      ...(labelNames.size > 0 && { labelNames }),
    },
    spacingKnown,
    orientationNotice,
  };
}

/** The stored voxels, in the byte order of this machine; may swap `bytes` in place. */
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
