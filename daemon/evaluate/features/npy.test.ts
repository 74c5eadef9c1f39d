import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeNpy, encodeNpy } from './npy.ts';

const numpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;

test('the header is aligned and says the shape, the values follow', () => {
  const bytes = encodeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3);
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00');
  const header = bytes.readUInt16LE(8);
  expect((10 + header) % 64).toBe(0);
  expect(bytes.subarray(10, 10 + header).toString()).toMatch(
    /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/,
  );
  expect(bytes.readFloatLE(10 + header + 20)).toBe(6);
});

test.skipIf(!numpy)('NumPy reads it', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'npy-')), 'x.npy');
  writeFileSync(file, encodeNpy(Float32Array.of(1, 2, 3, 4, 5, 6.5), 3, 2));
  const said = execFileSync('python3', ['-c', 'import numpy, sys; print(numpy.load(sys.argv[1]).tolist())', file])
    .toString()
    .trim();
  expect(said).toBe('[[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]');
});

test('what is written is read, and nothing else', () => {
  const values = Float32Array.of(1, -2.5, 3e-7, 4, 5, 6);
  const bytes = encodeNpy(values, 3, 2);
  expect(decodeNpy(bytes, 'x.npy')).toEqual({ values, rows: 3, columns: 2 });
  expect(() => decodeNpy(bytes.subarray(0, -4), 'x.npy')).toThrow(/x\.npy: is not a float32 matrix/);
  expect(() => decodeNpy(Buffer.from('PNG'), 'x.npy')).toThrow(/x\.npy: is not a float32 matrix/);
});
