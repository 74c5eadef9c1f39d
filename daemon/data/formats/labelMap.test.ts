import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import jpeg from 'jpeg-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readLabelMap } from './labelMap.ts';
import { encodeNifti } from './niftiWriter.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'label-map-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const read = async (bytes: Uint8Array) => {
  const file = join(root, 'labels');
  await writeFile(file, bytes);
  return readLabelMap(file);
};

it('PNG: the numbers as they are stored, in 1, 8 and 16 bits', async () => {
  const bits = encode({ width: 8, height: 1, depth: 1, channels: 1, data: Uint8Array.of(0b10100000) });
  expect([...(await read(bits)).data]).toEqual([1, 0, 1, 0, 0, 0, 0, 0]);
  const bytes = encode({ width: 2, height: 2, depth: 8, channels: 1, data: Uint8Array.of(0, 1, 63, 255) });
  expect(await read(bytes)).toEqual({ shape: [1, 2, 2], data: Int16Array.of(0, 1, 63, 255), affine: null });
  const words = encode({ width: 2, height: 1, depth: 16, channels: 1, data: Uint16Array.of(3, 1000) });
  expect([...(await read(words)).data]).toEqual([3, 1000]);
});

it('PNG: grey in three channels is grey; colour is refused with its place, and so is JPEG', async () => {
  const rgb = (data: Uint8Array) => encode({ width: 2, height: 1, depth: 8, channels: 3, data });
  expect([...(await read(rgb(Uint8Array.of(0, 0, 0, 7, 7, 7)))).data]).toEqual([0, 7]);
  await expect(read(rgb(Uint8Array.of(0, 0, 0, 7, 7, 8)))).rejects.toThrow(/colour image.*row 0, column 1/);
  const { data } = jpeg.encode({ width: 8, height: 8, data: new Uint8Array(256) });
  await expect(read(data)).rejects.toThrow(/JPEG/);
});

it('a volume comes with its affine', async () => {
  const volume = encodeNifti({ shape: [2, 2, 2], spacing: [3, 1, 1], data: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7) });
  const { shape, data, affine } = await read(volume);
  expect([shape, [...data], affine?.[2]]).toEqual([
    [2, 2, 2],
    [0, 1, 2, 3, 4, 5, 6, 7],
    [-3, 0, 0, 1.5],
  ]);
});
