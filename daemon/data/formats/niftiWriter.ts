import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { writeAtomically } from '../../files/atomic.ts';
import type { Affine } from './niftiGeometry.ts';

/** A volume to write, with array axes [slices, x, y]. */
export interface NiftiToWrite {
  readonly shape: readonly [number, number, number];
  readonly data: Int16Array | Float32Array | Uint8Array;
  /** Map from array indices [slice, x, y] to RAS millimetres; default: `spacing` along Inferior, Posterior, Left, the middle at the origin. */
  readonly affine?: Affine;
  /** mm, [slice, x, y]. */
  readonly spacing: readonly [number, number, number];
  /** Text of the header, at most 79 ASCII characters. */
  readonly description?: string;
}

/** Offset of the header's text of 80 bytes. */
export const descriptionAt = 148;

/** The affine of an array in the axes of orientation.ts with the middle of the volume at the origin. */
function centeredAffine({ shape, spacing: [slice, x, y] }: NiftiToWrite): Affine {
  const half = (axis: 0 | 1 | 2, mm: number) => ((shape[axis] - 1) * mm) / 2;
  return [
    [0, 0, -y, half(2, y)],
    [0, -x, 0, half(1, x)],
    [-slice, 0, 0, half(0, slice)],
  ];
}

/**
 * A NIfTI-1 file (little endian, no scaling, sform only) of a volume, uncompressed. Its i is our y, its j our x, its k our
 * slices, so that the file has the array in the order of memory.
 */
export function encodeNifti(volume: NiftiToWrite): Buffer {
  const { shape, data, spacing, affine = centeredAffine(volume) } = volume;
  const [type, bytes] = data instanceof Int16Array ? [4, 2] : data instanceof Float32Array ? [16, 4] : [2, 1];
  const offset = 352;
  const file = Buffer.alloc(offset + data.length * bytes);
  file.writeInt32LE(348, 0);
  for (const [i, n] of [3, shape[2], shape[1], shape[0], 1, 1, 1, 1].entries()) file.writeInt16LE(n, 40 + 2 * i);
  file.writeInt16LE(type, 70);
  file.writeInt16LE(8 * bytes, 72);
  for (const [i, mm] of [1, spacing[2], spacing[1], spacing[0]].entries()) file.writeFloatLE(mm, 76 + 4 * i);
  file.writeFloatLE(offset, 108);
  file.writeFloatLE(1, 112); // slope
  file.writeUInt8(2, 123); // millimetres
  file.write((volume.description ?? '').slice(0, 79), descriptionAt, 'latin1');
  file.writeInt16LE(1, 254); // sform: scanner coordinates
  affine.forEach((row, r) => {
    for (const [c, value] of [row[2], row[1], row[0], row[3]].entries()) file.writeFloatLE(value, 280 + 16 * r + 4 * c);
  });
  file.write('n+1\0', 344, 'latin1');
  new Uint8Array(file.buffer, file.byteOffset + offset).set(
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return file;
}

/** A NIfTI-1 file of a volume as a gzip stream (`.nii.gz`), compressed off the event loop. */
export function compressNifti(volume: NiftiToWrite): Promise<Buffer> {
  return promisify(gzip)(encodeNifti(volume), { level: 1 });
}

/**
 * Writes a volume atomically, as `.nii`, or as `.nii.gz` if the name ends so.
 * @param mode permissions of the new file
 */
export async function writeNifti(path: string, volume: NiftiToWrite, mode = 0o644): Promise<void> {
  const bytes = path.endsWith('.gz') ? await compressNifti(volume) : encodeNifti(volume);
  await writeAtomically(path, (handle) => handle.writeFile(bytes), { mode });
}
