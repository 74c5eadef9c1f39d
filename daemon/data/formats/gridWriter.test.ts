import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { folderOf } from '../../../test/needs.ts';
import { encodeInGrid, writeInGrid } from './gridWriter.ts';
import { readLabels, readVolume } from './image.ts';
import { niftiFixture } from './nifti.fixture.ts';
import { rotationOf } from './niftiGridHeader.ts';
import type { StoredGrid } from './storedVolume.ts';

const dir = mkdtempSync(join(tmpdir(), 'grid-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;
const save = (bytes: Uint8Array, name = '.nii') => {
  const path = join(dir, `${count++}${name}`);
  writeFileSync(path, bytes);
  return path;
};
const values = Array.from({ length: 24 }, (_, i) => i);
const oblique = [0.3, 0.2, 0.1] as const;

/** Where a header says that voxels lie: dimensions, pixdim, units, codes, qform, sform. */
const placing = {
  1: [
    [76, 108],
    [123, 124],
    [252, 328],
  ],
  2: [
    [104, 168],
    [344, 352],
    [352, 500],
    [500, 504],
  ],
} as const;

describe('writeInGrid', () => {
  it('keeps every byte that says where voxels lie, and each voxel at its place, for any NIfTI', async () => {
    const number = fc.double({ min: -1, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1 as const, 2 as const),
        fc.boolean(),
        fc.constantFrom([1, 0], [0, 2], [1, 1], [3, 2], [0, 0]),
        fc.constantFrom(-1, 1),
        fc.tuple(...Array.from({ length: 9 }, () => number)).filter((m) => Math.abs(determinant(m)) > 0.05),
        fc.constantFrom('.nii', '.nii.gz'),
        async (version, littleEndian, [qcode = 0, scode = 0], qfac, m, name) => {
          const image = niftiFixture({
            version,
            littleEndian,
            values,
            pixdim: [2, 3, 4],
            formCodes: [qcode, scode],
            qform: [qfac, ...oblique, 11, -7, 5],
            sform: [0, 1, 2].map((r) => [...m.slice(3 * r, 3 * r + 3).map((x) => 2 * x), 10 * r]),
          });
          const { volume, grid } = await readVolume(save(image));
          const out = join(dir, `${count++}${name}`);
          await writeInGrid(out, { data: Uint8Array.from(volume.data), grid });
          const written = name === '.nii' ? readFileSync(out) : gunzipSync(readFileSync(out));
          for (const [from, to] of placing[version])
            expect(written.subarray(from, to).equals(image.subarray(from, to))).toBe(true);
          const again = await readLabels(out);
          expect(again.grid.affine).toEqual(grid.affine);
          expect([...again.data]).toEqual([...volume.data]);
          expect([...written.subarray(written.length - 24)]).toEqual(values);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('writes an affine as sform and as the qform that means the same', async () => {
    const angle = fc.double({ min: -3.1, max: 3.1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(angle, angle, angle, fc.constantFrom(-1, 1), async (a, b, c, flip) => {
        const affine = rotated(a, b, c, [2, 3, 4 * flip], [5, -6, 7]);
        const grid: StoredGrid = { format: 'nrrd', size: [4, 3, 2], affine, type: 'int16' };
        const [bytes] = [Buffer.concat([...encodeInGrid({ data: Int16Array.from(values), grid })])];
        const q = Buffer.from(bytes);
        q.writeInt16LE(0, 254); // only the qform is left
        // A quaternion of float32 has no more digits near half turns.
        for (const [file, digits] of [[bytes, 5] as const, [q, 2] as const]) {
          const back = (await readVolume(save(file))).grid.affine.flat();
          affine.flat().forEach((value, i) => {
            expect(back[i]).toBeCloseTo(value, digits);
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('one volume of a 4-D image gets three dimensions', async () => {
    const image = niftiFixture({ size: [4, 3, 2, 3], values: Array.from({ length: 72 }, (_, i) => i) });
    const path = save(image);
    await expect(readVolume(path)).rejects.toThrow('is 4-D (4×3×2×3)');
    await expect(readVolume(path, { volume: 3 })).rejects.toThrow('holds 3 volumes, and not one with the number 3');
    const { volume, grid } = await readVolume(path, { volume: 2 });
    expect([...volume.data].sort((a, b) => a - b)).toEqual(values.map((v) => v + 48));
    const out = join(dir, '4d.nii');
    await writeInGrid(out, { data: Float32Array.from(volume.data), grid });
    const back = readFileSync(out);
    expect([0, 1, 2, 3, 4, 5].map((i) => back.readInt16LE(40 + 2 * i))).toEqual([3, 4, 3, 2, 1, 1]);
    expect([...(await readVolume(out)).volume.data]).toEqual([...volume.data]);
  });

  it('writes names of labels as Caret does, and nothing of the texts of the image', async () => {
    const image = niftiFixture({ values });
    image.write('Mrs Miller', 148, 'latin1');
    const { grid, volume } = await readVolume(save(image));
    const names = new Map([
      [1, 'spleen'],
      [5, 'left <kidney> & "more"'],
    ]);
    const path = join(dir, 'named.nii.gz');
    await writeInGrid(path, { data: Uint8Array.from(volume.data), grid, labelNames: names });
    expect(gunzipSync(readFileSync(path)).toString('latin1')).not.toContain('Miller');
    expect((await readLabels(path)).grid.labelNames).toEqual(names);
  });
});

describe('readLabels', () => {
  it.each([
    ['a fraction', [0, 1, 1.5], 'has 1.5, which is no whole number, at slice'],
    ['NaN', [0, Number.NaN], 'has NaN or an infinite value at slice'],
    ['infinity', [Number.POSITIVE_INFINITY], 'has NaN or an infinite value at slice'],
    ['a large number', [70000], 'has the label 70000 at slice'],
  ])('refuses %s', async (_, some, message) => {
    const path = save(niftiFixture({ type: 16, values: [...some, ...values].slice(0, 24) }));
    await expect(readLabels(path)).rejects.toMatchObject({ code: 'data', details: { place: path } });
    await expect(readLabels(path)).rejects.toThrow(message);
  });

  it('gives 8 bits where they are enough, else 16, and applies slope and intercept', async () => {
    expect((await readLabels(save(niftiFixture({ type: 16, values })))).data).toBeInstanceOf(Uint8Array);
    const scaled = await readLabels(save(niftiFixture({ type: 2, slope: 100, intercept: -1, values })));
    expect(scaled.data).toBeInstanceOf(Int16Array);
    expect([...scaled.data].sort((a, b) => a - b)).toEqual(values.map((v) => 100 * v - 1));
  });
});

it('rotationOf gives none for axes that are not at right angles', () => {
  const sheared = [
    [1, 0.2, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ] as const;
  expect(rotationOf(sheared)).toBeUndefined();
});

const labelled = folderOf('labelled');
describe.skipIf(!labelled)('real labels', () => {
  it('labels of a CT (LAS, names in the header) come back byte for byte but for the texts', async () => {
    const path = join(labelled ?? '', 'dicom/ct-labels.nii.gz');
    const { data, shape, grid } = await readLabels(path);
    expect(shape).toEqual([20, 512, 512]);
    expect(grid.labelNames?.size).toBe(117);
    expect(grid.labelNames?.get(1)).toBe('spleen');
    expect(new Set(data).size).toBe(32);
    const out = join(dir, 'ct.nii.gz');
    await writeInGrid(out, { data, grid, labelNames: grid.labelNames });
    const [old, now] = [path, out].map((file) => gunzipSync(readFileSync(file)));
    if (!old || !now) throw new Error('two files are read');
    for (const [from, to] of [[40, 56], [70, 74], ...placing[1]] as const)
      expect(now.subarray(from, to).equals(old.subarray(from, to))).toBe(true);
    expect(now.subarray(now.readFloatLE(108)).equals(old.subarray(old.readFloatLE(108)))).toBe(true);
    expect((await readLabels(out)).grid.labelNames).toEqual(grid.labelNames);
  });
});

function determinant([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0]: readonly number[]): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

/** The affine of turns by three angles (rad) round z, y, x, with steps of so many mm. */
function rotated(a: number, b: number, c: number, mm: readonly number[], origin: readonly number[]) {
  const [ca, sa, cb, sb, cc, sc] = [a, b, c].flatMap((x) => [Math.cos(x), Math.sin(x)]) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const m = [
    [ca * cb, ca * sb * sc - sa * cc, ca * sb * cc + sa * sc],
    [sa * cb, sa * sb * sc + ca * cc, sa * sb * cc - ca * sc],
    [-sb, cb * sc, cb * cc],
  ];
  const row = (r: 0 | 1 | 2) =>
    [0, 1, 2].map((col) => (m[r]?.[col] ?? 0) * (mm[col] ?? 1)).concat(origin[r] ?? 0) as unknown as readonly [
      number,
      number,
      number,
      number,
    ];
  return [row(0), row(1), row(2)] as const;
}
