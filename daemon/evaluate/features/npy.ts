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
