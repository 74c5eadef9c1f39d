import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { folderOf } from '../../../test/needs.ts';
import { type NiftiFixture, niftiFixture } from './nifti.fixture.ts';
import { inspectNifti, readNifti } from './nifti.ts';
import { niftiTypes } from './niftiHeader.ts';
import { compressNifti, encodeNifti, writeNifti } from './niftiWriter.ts';

const dir = mkdtempSync(join(tmpdir(), 'nifti-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;
const save = (bytes: Uint8Array, name = '.nii') => {
  const path = join(dir, `${count++}${name}`);
  writeFileSync(path, bytes);
  return path;
};

/** Stored values that encode their place in the world: R, A, S counted from the corner at the lowest coordinates. */
const code = (r: number, a: number, s: number) => r + 5 * a + 25 * s;
const worldSize = [5, 4, 3] as const;

/** A file with the axes permuted and turned; `axes[i]` is the world axis of stored axis i. */
function oriented(axes: readonly number[], turned: readonly boolean[], spec: NiftiFixture): Buffer {
  const size = axes.map((world) => worldSize[world]!);
  const spacing = [2, 3, 4];
  const sform = [0, 1, 2].map((world) => {
    const i = axes.indexOf(world);
    const row = [0, 0, 0, 10 + world];
    row[i] = turned[i] ? -spacing[world]! : spacing[world]!;
    return row;
  });
  const values: number[] = [];
  for (let k = 0; k < size[2]!; k++) {
    for (let j = 0; j < size[1]!; j++) {
      for (let i = 0; i < size[0]!; i++) {
        const world = [0, 0, 0];
        [i, j, k].forEach((index, axis) => {
          world[axes[axis]!] = turned[axis] ? size[axis]! - 1 - index : index;
        });
        values.push(code(world[0]!, world[1]!, world[2]!));
      }
    }
  }
  return niftiFixture({ ...spec, size, values, sform, pixdim: axes.map((world) => spacing[world]!) });
}

describe('readNifti', () => {
  const axes = fc.constantFrom([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]);
  const numericTypes = Object.keys(niftiTypes).map(Number);

  it('gives the same array whatever the type, version, byte order, compression and orientation', async () => {
    await fc.assert(
      fc.asyncProperty(
        axes,
        fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
        fc.constantFrom(...numericTypes),
        fc.constantFrom(1 as const, 2 as const),
        fc.boolean(),
        fc.boolean(),
        async (order, turned, type, version, littleEndian, gz) => {
          const file = oriented(order, turned, { type, version, littleEndian });
          const path = save(gz ? gzipSync(file) : file, gz ? '.nii.gz' : '.nii');
          const { volume, spacingKnown, affine } = await readNifti(path);
          expect(volume.shape).toEqual([3, 4, 5]); // S, A, R
          expect(volume.spacing.map((mm) => +mm.toFixed(4))).toEqual([4, 3, 2]);
          expect(spacingKnown).toBe(true);
          for (let s = 0; s < 3; s++) {
            for (let x = 0; x < 4; x++) {
              for (let y = 0; y < 5; y++) {
                // Slices towards inferior, rows towards posterior, columns towards the left.
                expect(volume.data[(s * 4 + x) * 5 + y]).toBe(code(4 - y, 3 - x, 2 - s));
              }
            }
          }
          expect(affine[0].slice(0, 3).map((mm) => mm + 0)).toEqual([0, 0, -2]);
          expect(affine[2].slice(0, 3).map((mm) => mm + 0)).toEqual([-4, 0, 0]);
          expect((await inspectNifti(path)).size).toEqual(order.map((world) => worldSize[world]));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('keeps the extremes of every type', async () => {
    const cases: [number, (number | bigint)[]][] = [
      [2, [0, 255]],
      [256, [-128, 127]],
      [4, [-32768, 32767]],
      [512, [0, 65535]],
      [8, [-(2 ** 31), 2 ** 30]],
      [768, [0, 2 ** 31]],
      [1024, [-(2n ** 62n), 2n ** 53n]],
      [1280, [0n, 2n ** 63n]],
      [16, [-1.5, 2 ** 100]],
      [64, [-1.5, 2 ** 100]],
    ];
    for (const [type, values] of cases) {
      for (const littleEndian of [true, false]) {
        const all = Array.from({ length: 8 }, (_, i) => values[i % 2]!);
        const { volume } = await readNifti(save(niftiFixture({ type, littleEndian, size: [2, 2, 2], values: all })));
        // Without an orientation, every axis is reversed, and so is the order.
        expect([...volume.data].reverse()).toEqual(all.map(Number));
      }
    }
  });

  it('applies slope and intercept, and ignores a slope of 0 or NaN', async () => {
    const values = [0, 1, 2, 3, 4, 5, 6, 7];
    const read = async (spec: NiftiFixture) =>
      [...(await readNifti(save(niftiFixture({ size: [2, 2, 2], values, ...spec })))).volume.data].reverse();
    expect(await read({ slope: 2, intercept: -1024 })).toEqual(values.map((x) => 2 * x - 1024));
    expect(await read({ slope: 1, intercept: 0.5, version: 2 })).toEqual(values.map((x) => x + 0.5));
    expect(await read({ slope: 0, intercept: 7 })).toEqual(values);
    expect(await read({ slope: Number.NaN, intercept: Number.NaN })).toEqual(values);
  });

  it('takes the qform where there is no sform, and lengths in other units', async () => {
    const values = Array.from({ length: 24 }, (_, i) => i);
    // Half a turn about z: x and y change sign; qfac -1 turns z.
    const { affine, volume } = await readNifti(
      save(niftiFixture({ size: [4, 3, 2], values, qform: [-1, 0, 0, 1, 5, 6, 7], pixdim: [1.5, 2, 3] })),
    );
    expect(volume.shape).toEqual([2, 3, 4]);
    // i runs to the left, j to the back, k downwards: already the order of the array.
    expect([...volume.data]).toEqual(values);
    expect(affine.map((row) => row[3])).toEqual([5, 6, 7]);
    const meters = await readNifti(save(niftiFixture({ values, units: 1, pixdim: [0.001, 0.002, 0.003] })));
    expect(meters.volume.spacing.map((mm) => +mm.toFixed(5))).toEqual([3, 2, 1]);
  });

  it('knows when no spacing was given', async () => {
    const values = new Array(24).fill(0);
    const known = async (spec: NiftiFixture) => (await readNifti(save(niftiFixture({ values, ...spec })))).spacingKnown;
    expect(await known({ pixdim: [0, 0, 0] })).toBe(false);
    expect(await known({ pixdim: [1, 1, 0] })).toBe(false);
    expect(await known({ pixdim: [1, 1, Number.NaN] })).toBe(false);
    expect(await known({ pixdim: [1, 1, 1] })).toBe(false);
    const atOrigin = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ];
    expect(await known({ pixdim: [1, 1, 1], sform: atOrigin })).toBe(false);
    expect(await known({ pixdim: [1, 1, 1], sform: atOrigin.map((row, i) => (i ? row : [1, 0, 0, -80])) })).toBe(true);
    expect(await known({ pixdim: [1, 1, 3] })).toBe(true);
  });
});

describe('of sform and qform', () => {
  const values = Array.from({ length: 24 }, (_, i) => i);
  const halfTurn = [-1, 0, 0, 1, 5, 6, 7] as const;
  const diagonal = [
    [-1.5, 0, 0, 5],
    [0, -2, 0, 6],
    [0, 0, -3, 7],
  ];
  const broken = (at: number, value: number) =>
    diagonal.map((row, r) => row.map((mm, c) => (4 * r + c === at ? value : mm)));
  const pixdim = [1.5, 2, 3];
  const read = async (spec: NiftiFixture) =>
    readNifti(save(niftiFixture({ size: [4, 3, 2], values, pixdim, ...spec })));

  it.each([
    [
      'NaN in the sform',
      { sform: broken(5, Number.NaN), qform: halfTurn },
      /unusable sform \(it holds .*NaN.*\); its qform/,
    ],
    ['an infinite sform', { sform: broken(3, Number.POSITIVE_INFINITY), qform: halfTurn }, /unusable sform/],
    ['an sform of zeros', { sform: diagonal.map((row) => row.map(() => 0)), qform: halfTurn }, /voxels of 0×0×0 mm/],
    ['a flat sform', { sform: [diagonal[0]!, diagonal[0]!, diagonal[0]!], qform: halfTurn }, /unusable sform/],
    [
      'an impossible quaternion that is preferred',
      { sform: diagonal, qform: [-1, 0.9, 0.9, 0.9, 5, 6, 7], formCodes: [2, 1] },
      /unusable qform \(it holds a quaternion that is no rotation\); its sform/,
    ],
    [
      'NaN in the quaternion that is preferred',
      { sform: diagonal, qform: [-1, 0, Number.NaN, 1, 5, 6, 7], formCodes: [2, 1] },
      /unusable qform/,
    ],
  ] as [string, NiftiFixture, RegExp][])('the sound one serves, with a notice: %s', async (_, spec, notice) => {
    const { volume, affine, spacingKnown, orientationNotice } = await read(spec);
    expect(orientationNotice).toMatch(notice);
    expect([...volume.data]).toEqual(values);
    expect(affine.map((row) => row[3])).toEqual([5, 6, 7]);
    expect(volume.spacing).toEqual([3, 2, 1.5]);
    expect(spacingKnown).toBe(true);
  });

  it('the one with the lower code may be unsound without a notice', async () => {
    const { orientationNotice } = await read({ sform: diagonal, qform: [1, 3, 3, 3, 0, 0, 0] });
    expect(orientationNotice).toBeUndefined();
  });

  it('a quaternion counts although the spacing beside it is missing', async () => {
    const { volume, spacingKnown } = await read({ qform: halfTurn, pixdim: [0, 0, 0] });
    expect([...volume.data]).toEqual(values);
    expect([spacingKnown, volume.spacing]).toEqual([false, [1, 1, 1]]);
  });

  it.each([
    ['only an sform', { sform: broken(0, Number.NaN) }, /: has no usable orientation: its sform holds [^,]*$/m],
    ['only a qform', { qform: [1, 1, 1, 1, 0, 0, 0] }, /its qform holds a quaternion that is no rotation/],
    ['both', { sform: broken(0, Number.NaN), qform: [1, 9, 9, 9, 0, 0, 0] }, /its sform .*, and its qform/],
  ] as [string, NiftiFixture, RegExp][])(
    'neither is sound, so that the volume is refused: %s',
    async (_, spec, reason) => {
      await expect(read(spec)).rejects.toMatchObject({ code: 'data' });
      await expect(read(spec)).rejects.toThrow(reason);
      await expect(inspectNifti(save(niftiFixture({ values, ...spec })))).rejects.toThrow(reason);
    },
  );
});

describe('a broken NIfTI file is named with its reason', () => {
  const values = Array.from({ length: 24 }, (_, i) => i);
  const sound = () => niftiFixture({ values });
  const bytesAfter = (file: Buffer, more: number) => Buffer.concat([file, Buffer.alloc(more)]);
  const header: [string, Buffer, RegExp][] = [
    ['zero bytes', Buffer.alloc(0), /is empty \(0 bytes\)/],
    ['text', Buffer.from('Patient 12, see the other folder.\n'.repeat(30)), /is not a NIfTI file/],
    ['short text', Buffer.from('see elsewhere'), /too short for a NIfTI header/],
    [
      'a terabyte by its header',
      niftiFixture({ size: [32767, 32767, 1024] }),
      /claims 32767×32767×1024 voxels, more than/,
    ],
    [
      'more by a NIfTI-2 header',
      niftiFixture({ version: 2, size: [2 ** 40, 2 ** 40, 2 ** 40] }),
      /more than the limit/,
    ],
    ['4-D', niftiFixture({ size: [4, 3, 2, 5], values }), /is 4-D \(4×3×2×5\)/],
    ['a truncated file', sound().subarray(0, 380), /claims 400 bytes, but the file holds only 380/],
    ['more slices than the header tells', bytesAfter(sound(), 24), /claims 400 bytes, but the file holds more/],
    ['RGB', niftiFixture({ type: 128, bitpix: 24, values }), /voxels of type RGB/],
    ['complex numbers', niftiFixture({ type: 32, bitpix: 64, values }), /type complex64/],
    ['an unknown type', niftiFixture({ type: 5, values }), /type number 5/],
    ['a type that contradicts its bits', niftiFixture({ bitpix: 32, values }), /int16, but 32 bits/],
    ['a negative size', niftiFixture({ size: [4, -3, 2], values }), /its size is 4×-3×2/],
    ['a rank of 9', niftiFixture({ rank: 9, values }), /9 dimensions/],
    ['a single slice', niftiFixture({ size: [6, 4, 1], values }), /single slice/],
    ['half of a pair', niftiFixture({ magic: 'ni1', values }), /header\/image pair/],
    ['no magic number', niftiFixture({ magic: '', values }), /magic number is missing/],
    ['an impossible offset', niftiFixture({ offset: 13, values }), /start at byte 13/],
    ['an infinite slope', niftiFixture({ slope: Number.POSITIVE_INFINITY, values }), /slope Infinity/],
  ];
  it.each(header)('%s', async (_, file, reason) => {
    const path = save(file);
    for (const read of [inspectNifti, readNifti]) {
      await expect(read(path)).rejects.toMatchObject({ name: 'UnimissError', code: 'data', details: { place: path } });
      await expect(read(path)).rejects.toThrow(reason);
    }
  });

  const large = () =>
    niftiFixture({
      size: [32, 32, 16],
      values: Array.from({ length: 16384 }, (_, i) => Math.imul(i, 0x9e3779b1) >> 18),
    });
  const compressed: [string, () => Buffer, RegExp][] = [
    ['truncated gz', () => gzipSync(large()).subarray(0, 20000), /truncated/],
    ['truncated in its trailer', () => gzipSync(large()).subarray(0, -3), /truncated/],
    [
      'gz with fewer voxels',
      () => gzipSync(large().subarray(0, 20000)),
      /claims 33120 bytes, but the file holds only 20000/,
    ],
    ['gz with more voxels', () => gzipSync(bytesAfter(large(), 1e5)), /claims 33120 bytes, but the file holds more/],
    ['a gzip bomb', () => gzipSync(bytesAfter(sound(), 5e7)), /holds more/],
    [
      'gz that is longer than its voxels',
      () => Buffer.concat([gzipSync(sound(), { level: 0 }), Buffer.alloc(200_000)]),
      /claims 400 bytes, but the file holds more/,
    ],
    ['a terabyte in a small gz', () => gzipSync(niftiFixture({ size: [32767, 32767, 512] })), /more than the limit/],
    [
      '256 million voxels in 100 bytes',
      () => gzipSync(niftiFixture({ size: [1024, 1024, 256] })),
      /holds only|cannot hold/,
    ],
    ['text in gz', () => gzipSync(Buffer.from('nothing to see '.repeat(100))), /is not a NIfTI file/],
    ['an empty gz', () => gzipSync(Buffer.alloc(0)), /too short/],
  ];
  it.each(compressed)('%s', async (_, make, reason) => {
    const path = save(make(), '.nii.gz');
    await expect(inspectNifti(path)).rejects.toThrow(reason);
    await expect(readNifti(path)).rejects.toThrow(reason);
  });

  it('damaged in the middle of the gz', async () => {
    const file = gzipSync(large());
    for (let i = 8000; i < 8100; i++) file[i]! ^= 0x5a;
    await expect(readNifti(save(file, '.nii.gz'))).rejects.toThrow(/gzip stream is damaged|truncated/);
  });

  it('NaN and infinity, with their number and place', async () => {
    const reals = values.map(Number);
    reals[5] = Number.NaN;
    reals[7] = Number.POSITIVE_INFINITY;
    const path = save(niftiFixture({ type: 16, values: reals }));
    await expect(inspectNifti(path)).resolves.toMatchObject({ size: [4, 3, 2] });
    await expect(readNifti(path)).rejects.toThrow(
      /2 voxels that are NaN or infinite \(the first at slice 1, row 1, column 0\)/,
    );
    // A value that fits float64 but not float32 counts as infinite.
    await expect(readNifti(save(niftiFixture({ type: 64, values: reals.map(() => 1e300) })))).rejects.toThrow(
      /infinite/,
    );
  });

  it('missing and forbidden files', async () => {
    await expect(inspectNifti(join(dir, 'nowhere.nii'))).rejects.toThrow(/nowhere\.nii: does not exist/);
    await expect(readNifti(dir)).rejects.toThrow(/is a folder|no regular file/);
  });

  it('accepts several gzip members, whose trailer tells only the last length', async () => {
    const file = large();
    const path = save(Buffer.concat([gzipSync(file.subarray(0, 9000)), gzipSync(file.subarray(9000))]), '.nii.gz');
    await expect(inspectNifti(path)).resolves.toMatchObject({ dataBytes: 32768 });
    expect((await readNifti(path)).volume.data.length).toBe(16384);
  });
});

describe('the writer', () => {
  it('returns what the reader reads', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 6 })),
        fc.constantFrom('int16', 'float32', 'uint8'),
        fc.infiniteStream(fc.integer({ min: 0, max: 250 })),
        fc.tuple(fc.constantFrom(1, 2.5, 3), fc.constantFrom(0.7, 1), fc.constantFrom(0.7, 1, 1.25)),
        fc.boolean(),
        async (shape, type, numbers, spacing, gz) => {
          const values = Array.from({ length: shape[0] * shape[1] * shape[2] }, () => numbers.next().value as number);
          const data =
            type === 'int16'
              ? Int16Array.from(values, (x) => x * 100 - 1000)
              : type === 'float32'
                ? Float32Array.from(values, (x) => x / 7)
                : Uint8Array.from(values);
          const path = join(dir, `${count++}${gz ? '.nii.gz' : '.nii'}`);
          await writeNifti(path, { shape, data, spacing });
          const { volume, spacingKnown } = await readNifti(path);
          expect(volume.shape).toEqual(shape);
          expect([...volume.data]).toEqual([...data]);
          expect(volume.data).toBeInstanceOf(type === 'float32' ? Float32Array : Int16Array);
          volume.spacing.forEach((mm, i) => {
            expect(mm).toBeCloseTo(spacing[i]!, 5);
          });
          expect(spacingKnown).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps an affine', async () => {
    const affine = [
      [0.1, 0.02, -0.8, 12],
      [0, -0.9, 0, -7],
      [-2.9, 0, 0.05, 100],
    ] as const;
    const volume = { shape: [3, 2, 2], data: new Int16Array(12), spacing: [2.9, 0.9, 0.8], affine } as const;
    const read = await readNifti(save(encodeNifti(volume)));
    read.affine.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(affine.flat()[i]!, 5);
    });
    expect((await compressNifti(volume)).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  });
});

const samples = folderOf('samples');
describe.skipIf(!samples)('real volumes (UNIMISS_SAMPLES)', () => {
  it('reads a sub-volume as it is stored and a whole CT in the same orientation', async () => {
    const sub = await readNifti(join(samples!, 'ct-subvolumes/000001_01_01_103-115_dep0.nii.gz'));
    expect(sub.volume.shape).toEqual([24, 250, 250]);
    expect(sub.volume.data).toBeInstanceOf(Int16Array);
    expect(sub.spacingKnown).toBe(false);
    const whole = await readNifti(join(samples!, 'ct/chest-ricord-1b.nii.gz'));
    expect(whole.volume.shape).toEqual([137, 147, 147]);
    expect(whole.volume.spacing).toEqual([2, 2, 2]);
    expect(whole.spacingKnown).toBe(true);
  });
});
