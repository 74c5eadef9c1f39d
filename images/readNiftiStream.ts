import { createReadStream } from 'node:fs';
import { endianness } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { readEnds, readFailure } from '../daemon/data/formats/bytes.ts';
import { gunzipStart, gzipFailure, tooShort } from '../daemon/data/formats/gzip.ts';
import { imageError } from '../daemon/data/formats/imageError.ts';
import { gzipHeadBytes } from '../daemon/data/formats/nifti.ts';
import { caretLabels } from '../daemon/data/formats/niftiExtension.ts';
import { headerBytes, type NiftiHeader, niftiTypes, parseNiftiHeader } from '../daemon/data/formats/niftiHeader.ts';
import { sniffFormat } from '../daemon/data/formats/sniff.ts';
import type { StoredGrid } from '../daemon/data/formats/storedVolume.ts';
import { messageOf, UnimissError } from '../protocol/errors.ts';
import { arrayTypes, type VoxelStore } from './voxelStore.ts';

/** A NIfTI file whose header has been read. */
export interface NiftiStart {
  readonly header: NiftiHeader;
  readonly grid: StoredGrid;
  /**
   * Reads the voxels into `store`, from the first to the last. Resolves when all are there; where the file is damaged or too short, it
   * resolves too, with `store.failure`, so that what came before can be shown.
   * @param progress called after each piece
   * @param signal ends it
   */
  fill(store: VoxelStore, progress: () => void, signal: AbortSignal): Promise<void>;
}

/** Bytes that are decoded at once. */
const pieceBytes = 2 ** 22;
/** Bytes before the voxels that may hold names of labels. */
const mostExtensionBytes = 2 ** 22;

/**
 * Reads the header of a `.nii` or `.nii.gz` file, for a store that is filled while planes of it are shown already.
 * @param volume of several volumes (4-D) the number of the wanted one, from 0
 * @throws UnimissError('data') where the header is unusable
 */
export async function openNiftiStream(path: string, volume: number): Promise<NiftiStart> {
  const { head, size } = await readEnds(path, gzipHeadBytes, 0);
  if (size === 0) throw imageError(path, 'is empty (0 bytes)');
  const compressed = sniffFormat(head) === 'gz';
  const start = compressed ? await gunzipStart(path, head) : head;
  const header = parseNiftiHeader(path, start, volume);
  const labelNames = caretLabels(await beforeVoxels(path, header, compressed), header);
  const { affine, type } = header;
  const grid: StoredGrid = {
    format: 'nifti',
    size: header.size,
    affine,
    type: niftiTypes[type].name,
    niftiHeader: new Uint8Array(start.subarray(0, headerBytes[header.version])),
    ...(labelNames.size > 0 && { labelNames }),
  };
  return {
    header,
    grid,
    fill: (store, progress, signal) => fill({ path, header, compressed }, store, progress, signal),
  };
}

/** The file up to its voxels; shorter where it is damaged. */
async function beforeVoxels(path: string, { offset }: NiftiHeader, compressed: boolean): Promise<Buffer> {
  const wanted = Math.min(offset, mostExtensionBytes);
  const { head } = await readEnds(path, compressed ? wanted + gzipHeadBytes : wanted, 0);
  if (!compressed) return head;
  // A stream that is damaged further on is reported when its voxels are read.
  const decoded = await gunzipStart(path, head).catch(() => Buffer.alloc(0));
  return decoded.subarray(0, wanted);
}

/** Memory for the voxels of a header; none of it is touched before a voxel is read. */
export function emptyStore({ size, type, dataBytes, slope, intercept }: NiftiHeader): VoxelStore {
  const voxels = new arrayTypes[niftiTypes[type].name](new ArrayBuffer(dataBytes));
  return { size, voxels, scaling: { slope, intercept }, available: 0, failure: undefined };
}

async function fill(
  { path, header, compressed }: { readonly path: string; readonly header: NiftiHeader; readonly compressed: boolean },
  store: VoxelStore,
  progress: () => void,
  signal: AbortSignal,
): Promise<void> {
  const width = niftiTypes[header.type].bytes;
  const swapped = width > 1 && header.littleEndian !== (endianness() === 'LE');
  const target = Buffer.from(store.voxels.buffer, 0, header.dataBytes);
  const first = header.offset + header.volume * header.dataBytes;
  let position = compressed ? 0 : first;
  let filled = 0;
  const take = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      const from = Math.max(0, first + filled - position);
      position += piece.length;
      if (from >= piece.length) continue;
      const before = store.available * width;
      filled += piece.copy(target, filled, from, Math.min(piece.length, from + header.dataBytes - filled));
      const whole = Math.floor(filled / width) * width;
      if (swapped) swapBytes(target.subarray(before, whole), width);
      store.available = whole / width;
      progress();
      if (filled === header.dataBytes) return;
    }
  };
  try {
    const file = createReadStream(path, { start: compressed ? 0 : first, highWaterMark: 2 ** 20 });
    if (compressed) await pipeline(file, createGunzip({ chunkSize: pieceBytes }), take, { signal });
    else await pipeline(file, take, { signal });
  } catch (error) {
    // Leaving the loop early makes the streams end with an error.
    if (filled < header.dataBytes) store.failure = failureOf(path, error);
    return;
  }
  const expected = header.offset + header.volumes * header.dataBytes;
  if (filled < header.dataBytes) store.failure = tooShort(path, expected, compressed ? position : first + filled);
}

function failureOf(path: string, error: unknown): UnimissError {
  if (error instanceof UnimissError) return error;
  const { code = '', errno } = error as NodeJS.ErrnoException;
  if (code.startsWith('Z_')) return gzipFailure(path, error);
  return errno === undefined ? imageError(path, `cannot be read (${messageOf(error)})`) : readFailure(path, error);
}

function swapBytes(bytes: Buffer, width: number): void {
  if (width === 2) bytes.swap16();
  else if (width === 4) bytes.swap32();
  else bytes.swap64();
}
