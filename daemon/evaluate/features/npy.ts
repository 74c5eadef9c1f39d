import { UnimissError } from '../../../protocol/errors.ts';

/**
 * A float32 matrix in NumPy's NPY format, version 1.0 (numpy.lib.format): little-endian, C order. The packages for NPY in JavaScript
 * only read.
 * @param values [rows, columns]
 */
export function encodeNpy(values: Float32Array, rows: number, columns: number): Buffer {
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const fixed = 10; // magic, version, length of the header
  const padding = 64 - ((fixed + description.length + 1) % 64);
  const header = `${description}${' '.repeat(padding % 64)}\n`;
  const start = Buffer.alloc(fixed);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([
    start,
    Buffer.from(header, 'latin1'),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  ]);
}

/**
 * The matrix of a file of `encodeNpy`.
 * @throws UnimissError 'data' for another kind of file
 */
export function decodeNpy(bytes: Buffer, place: string): { values: Float32Array; rows: number; columns: number } {
  const header = bytes.subarray(0, 6).toString('latin1') === '\x93NUMPY' ? bytes.readUInt16LE(8) : 0;
  const found = /'<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/.exec(
    bytes.toString('latin1', 10, 10 + header),
  );
  const [rows, columns] = [Number(found?.[1]), Number(found?.[2])];
  const data = bytes.subarray(10 + header);
  if (!found || data.length !== 4 * rows * columns)
    throw new UnimissError('data', 'is not a float32 matrix in NPY format', {
      place,
      remedy: 'Compute the features again.',
    });
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < values.length; i++) values[i] = data.readFloatLE(4 * i);
  return { values, rows, columns };
}
