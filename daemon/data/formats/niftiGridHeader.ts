import { UnimissError } from '../../../protocol/errors.ts';
import type { Affine } from './niftiGeometry.ts';
import type { StoredGrid } from './storedVolume.ts';

type Values = Uint8Array | Int16Array | Uint16Array | Float32Array;

/** A header for voxels in a given grid. */
export interface GridHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** The header's bytes, for voxels that start at `offset`. */
  header(offset: number): Buffer;
}

/** Where the fields that change lie in the header, by version; `real` fields are float32 in NIfTI-1 and float64 in NIfTI-2. */
const fields = {
  1: { dim: 40, datatype: 70, bitpix: 72, offset: 108, slope: 112, intent: 68, intentValues: 56, window: 124 },
  2: { dim: 16, datatype: 12, bitpix: 14, offset: 168, slope: 176, intent: 504, intentValues: 80, window: 192 },
} as const;
/** Texts of the header: they may name a patient, or say what was measured. [from, to) by version. */
const texts = {
  1: [
    [4, 32],
    [148, 252],
    [328, 344],
  ],
  2: [
    [240, 344],
    [508, 524],
  ],
} as const;
const description = 'UniMiSS';

/**
 * The header for an array in the grid of an image. Of a NIfTI image everything that says where voxels lie is kept to the bit; its type,
 * scaling, intent and texts are replaced, since they are about the image's values.
 * @param slope what the numbers are multiplied by
 */
export function gridHeader(grid: StoredGrid, data: Values, slope = 1): GridHeader {
  const [base, version, littleEndian] = grid.niftiHeader
    ? ofImage(grid.niftiHeader)
    : ([fromAffine(grid), 1, true] as const);
  const at = fields[version];
  const view = new DataView(base.buffer, base.byteOffset, base.length);
  const real = (place: number, index: number, value: number) =>
    version === 1
      ? view.setFloat32(place + 4 * index, value, littleEndian)
      : view.setFloat64(place + 8 * index, value, littleEndian);
  for (const [from, to] of texts[version]) base.fill(0, from, to);
  base.write(description, version === 1 ? 148 : 240, 'latin1');
  // One volume of several has three dimensions.
  const rank = version === 1 ? view.getInt16(at.dim, littleEndian) : Number(view.getBigInt64(at.dim, littleEndian));
  const dim = (i: number) =>
    version === 1
      ? view.getInt16(at.dim + 2 * i, littleEndian)
      : Number(view.getBigInt64(at.dim + 8 * i, littleEndian));
  const setDim = (i: number, value: number) =>
    version === 1
      ? view.setInt16(at.dim + 2 * i, value, littleEndian)
      : view.setBigInt64(at.dim + 8 * i, BigInt(value), littleEndian);
  if (rank > 3 && dim(4) > 1) {
    setDim(0, 3);
    setDim(4, 1);
  }
  view.setInt16(at.datatype, typeOf(data), littleEndian);
  view.setInt16(at.bitpix, 8 * data.BYTES_PER_ELEMENT, littleEndian);
  real(at.slope, 0, slope);
  real(at.slope, 1, 0);
  for (const i of [0, 1, 2]) real(at.intentValues, i, 0);
  for (const i of [0, 1]) real(at.window, i, 0);
  if (version === 1) view.setInt16(at.intent, 0, littleEndian);
  else view.setInt32(at.intent, 0, littleEndian);
  return {
    version,
    littleEndian,
    header: (offset) => {
      if (version === 1) view.setFloat32(at.offset, offset, littleEndian);
      else view.setBigInt64(at.offset, BigInt(offset), littleEndian);
      return base;
    },
  };
}

function ofImage(header: Uint8Array): readonly [Buffer, 1 | 2, boolean] {
  const bytes = Buffer.from(header);
  const littleEndian = [348, 540].includes(bytes.readInt32LE(0));
  return [bytes, bytes.length === 540 ? 2 : 1, littleEndian];
}

function typeOf(data: Values): number {
  if (data instanceof Uint8Array) return 2;
  if (data instanceof Int16Array) return 4;
  if (data instanceof Uint16Array) return 512;
  return 16;
}

/** A NIfTI-1 header, little endian, with sform and qform for an affine; the qform is left out where the axes are not at right angles. */
function fromAffine({ affine, size }: StoredGrid): Buffer {
  if (Math.max(...size) > 32767)
    throw new UnimissError('data', `an image of ${size.join('×')} voxels does not fit into NIfTI`);
  const file = Buffer.alloc(348);
  file.writeInt32LE(348, 0);
  for (const [i, n] of [3, ...size, 1, 1, 1, 1].entries()) file.writeInt16LE(n, 40 + 2 * i);
  file.writeUInt8(2, 123); // millimetres
  const spacing = ([0, 1, 2] as const).map((axis) => Math.hypot(affine[0][axis], affine[1][axis], affine[2][axis]));
  const rotation = rotationOf(affine);
  for (const [i, mm] of [rotation?.qfac ?? 1, ...spacing].entries()) file.writeFloatLE(mm, 76 + 4 * i);
  if (rotation) {
    file.writeInt16LE(1, 252); // qform: scanner coordinates
    const offsets = affine.map((row) => row[3]);
    for (const [i, value] of [...rotation.quaternion, ...offsets].entries()) file.writeFloatLE(value, 256 + 4 * i);
  }
  file.writeInt16LE(1, 254); // sform: scanner coordinates
  for (const [i, value] of affine.flat().entries()) file.writeFloatLE(value, 280 + 4 * i);
  file.write('n+1\0', 344, 'latin1');
  return file;
}

/** How far from a right angle (as a cosine) two axes may be for a qform. */
const rightAngle = 1e-4;

/**
 * The quaternion (b, c, d) of an affine's directions, with qfac −1 where they are left-handed; undefined where they are no rotation.
 * The largest of its four parts is found first, so that none is divided by a small number (Shepperd 1978).
 */
export function rotationOf(
  affine: Affine,
): { readonly quaternion: readonly [number, number, number]; readonly qfac: 1 | -1 } | undefined {
  const axis = (c: 0 | 1 | 2): readonly [number, number, number] => {
    const column = [affine[0][c], affine[1][c], affine[2][c]] as const;
    const length = Math.hypot(...column);
    return [column[0] / length, column[1] / length, column[2] / length];
  };
  const [i, j] = [axis(0), axis(1)];
  let k = axis(2);
  const dot = (a: typeof i, b: typeof i) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  if (Math.max(Math.abs(dot(i, j)), Math.abs(dot(i, k)), Math.abs(dot(j, k))) > rightAngle) return undefined;
  const cross = [i[1] * j[2] - i[2] * j[1], i[2] * j[0] - i[0] * j[2], i[0] * j[1] - i[1] * j[0]] as const;
  const qfac = dot(cross, k) < 0 ? -1 : 1;
  if (qfac < 0) k = [-k[0], -k[1], -k[2]];
  // Of the matrix with the columns i, j, k: 4w², 4x², 4y², 4z².
  const squares = [
    1 + i[0] + j[1] + k[2],
    1 + i[0] - j[1] - k[2],
    1 - i[0] + j[1] - k[2],
    1 - i[0] - j[1] + k[2],
  ] as const;
  const largest = Math.max(...squares);
  const s = 2 * Math.sqrt(largest);
  const [w, x, y, z] =
    largest === squares[0]
      ? [s / 4, (j[2] - k[1]) / s, (k[0] - i[2]) / s, (i[1] - j[0]) / s]
      : largest === squares[1]
        ? [(j[2] - k[1]) / s, s / 4, (j[0] + i[1]) / s, (k[0] + i[2]) / s]
        : largest === squares[2]
          ? [(k[0] - i[2]) / s, (j[0] + i[1]) / s, s / 4, (k[1] + j[2]) / s]
          : [(i[1] - j[0]) / s, (k[0] + i[2]) / s, (k[1] + j[2]) / s, s / 4];
  const sign = w < 0 ? -1 : 1;
  return { quaternion: [sign * x, sign * y, sign * z], qfac };
}
