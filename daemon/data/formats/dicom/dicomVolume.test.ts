import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UnimissError } from '../../../../protocol/errors.ts';
import { folderOf } from '../../../../test/needs.ts';
import { inspectImage, readImage, readVolume } from '../image.ts';
import { type DicomFixture, dicomFixture } from './dicom.fixture.ts';
import { readDicomHeader } from './dicomHeader.ts';
import { decodePixels } from './dicomVolume.ts';

const dir = mkdtempSync(join(tmpdir(), 'dicom-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;

/** A folder of files with these names. */
function folder(files: Record<string, Buffer>): string {
  const made = join(dir, `${count++}`);
  mkdirSync(made);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(made, name), bytes);
  return made;
}

/** Slices at these heights (mm), in files without an ending that are not in order. */
function series(heights: readonly number[], spec: (i: number) => DicomFixture = () => ({})): Record<string, Buffer> {
  return Object.fromEntries(
    heights.map((z, i) => {
      const values = Array.from({ length: 12 }, (_, v) => 100 * i + v);
      const file = dicomFixture({ position: [10, 20, z], number: i + 1, values, ...spec(i) });
      return [`IM${String((7 * i) % 10)}${i}`, file];
    }),
  );
}
const even = [30, 34, 38, 42];

describe('a DICOM series', () => {
  it('is one volume, in the order of its positions and with its own affine', async () => {
    const path = folder(series(even, () => ({ slope: 2, intercept: -1024 })));
    expect(await inspectImage(path)).toEqual({ kind: '3D', format: 'dicom', size: [4, 3, 4] });
    const { volume, grid, notices, spacingKnown } = await readVolume(path);
    expect(grid.affine).toEqual([
      [-3, 0, 0, -10],
      [0, -2, 0, -20],
      [0, 0, 4, 30],
    ]);
    expect(volume.shape).toEqual([4, 3, 4]);
    expect(volume.spacing).toEqual([4, 2, 3]);
    expect(volume.data).toBeInstanceOf(Int16Array);
    // The highest slice comes first; rows and columns are as stored.
    expect([...volume.data.subarray(0, 3)]).toEqual([2 * 300 - 1024, 2 * 301 - 1024, 2 * 302 - 1024]);
    expect(volume.data[36]).toBe(-1024);
    expect([notices, spacingKnown]).toEqual([[], true]);
    const first = grid.dicomFiles?.[0] ?? '';
    expect((await readVolume(first)).grid).toEqual(grid);
  });

  it('may scale each slice in its own way', async () => {
    const path = folder(series(even, (i) => ({ slope: i === 0 ? 1 : 1 + i / 4 })));
    const { data } = (await readVolume(path)).volume;
    expect([data[0], data[12], data[24], data[36]]).toEqual([525, 300, 125, 0]);
  });

  it.each([
    [
      'a missing slice',
      [30, 34, 42, 46],
      /misses a slice between slice 2 \(IM71\) and slice 3 \(IM42\): they are 8 mm apart, others 4 mm/,
    ],
    ['three missing slices', [30, 34, 50, 54, 58], /misses 3 slices between slice 2/],
    ['uneven slices', [30, 34, 38, 44, 48], /has uneven slices: between slice 3 .* lie 6 mm, between others 4 mm/],
    [
      'two images at one place',
      [30, 34, 34, 38],
      /has 2 images at one position \(slice 2: IM71, IM42\), and fewer at others/,
    ],
    ['times', [30, 30, 34, 34], /is 4-D: it has 2 images at each of 2 positions/],
  ])('with %s is refused with the place and the distance', async (_, heights, message) => {
    const path = folder(series(heights));
    for (const use of [inspectImage, readVolume]) {
      await expect(use(path)).rejects.toThrow(message);
      await expect(use(path)).rejects.toMatchObject({ code: 'data', details: { place: path } });
    }
  });

  it('with distances that vary a little is read with a notice; so is one whose tag is wrong', async () => {
    const path = folder(series([30, 34, 38.2, 42], () => ({ sliceSpacing: 1 })));
    const { notices, grid } = await readVolume(path);
    expect(notices).toEqual([
      'has slices that are 3.8 to 4.2 mm apart; their mean is used',
      'says 1 mm between slices, but their positions are 4 mm apart, which counts',
    ]);
    expect(grid.affine[2]).toEqual([0, 0, 4, 30]);
  });

  it('of MONOCHROME1 keeps its values', async () => {
    const path = folder(series(even, () => ({ photometric: 'MONOCHROME1', stored: 12, slope: 2, intercept: -10 })));
    const { data } = (await readVolume(path)).volume;
    expect([data[0], data[12], data[36]]).toEqual([590, 390, -10]);
  });

  it('with a damaged file is refused, and names it', async () => {
    const files = series(even);
    const path = folder({ ...files, IM42: files.IM42?.subarray(0, 500) ?? Buffer.alloc(0) });
    await expect(readVolume(path)).rejects.toThrow(
      /has a file that cannot be used \(IM42\): it has a damaged DICOM header/,
    );
  });

  it('of several times gives the one that is asked for', async () => {
    const path = folder(series([30, 30, 34, 34]));
    const { data } = (await readVolume(path, { volume: 1 })).volume;
    expect([data[0], data[12]]).toEqual([300, 100]);
    await expect(readVolume(path, { volume: 2 })).rejects.toThrow('holds 2 volumes, and not one with the number 2');
  });

  it('with tilted slices keeps the tilt in its affine', async () => {
    const path = folder(series(even, (i) => ({ position: [10, 20 + i, 30 + 4 * i] })));
    const { grid, notices } = await readVolume(path);
    expect(grid.affine.map((row) => row[2])).toEqual([0, -1, 4]);
    expect(notices).toEqual(['was scanned with a tilted gantry (14°), which its grid keeps']);
  });

  it('names what else lies in the folder, and leaves it out', async () => {
    const path = folder({
      ...series(even),
      scout: dicomFixture({ series: '1.2.3.99', number: 50, rows: 5, columns: 5 }),
      copy: dicomFixture({ position: [10, 20, 30], number: 1 }),
      odd: dicomFixture({ position: [10, 20, 46], number: 60, extra: 2 ** 17 }),
      labels: dicomFixture({ sopClass: '1.2.840.10008.5.1.4.1.1.66.4', number: 70 }),
      'notes.txt': Buffer.from('nothing'),
    });
    const { leftOut, volume } = await readVolume(path);
    expect(volume.shape).toEqual([4, 3, 4]);
    expect(leftOut.map(({ path: file, why }) => [file.slice(path.length + 1), why])).toEqual([
      ['copy', 'is a copy of IM00: both have the same UID'],
      ['labels', 'is a DICOM segmentation: labels, not an image'],
      ['odd', `is of another form: ${2 ** 17} bytes follow its image`],
      ['scout', 'belongs to another series'],
    ]);
  });

  it('beside one of equal standing is refused, unless one of its files is given', async () => {
    const other = Object.fromEntries(
      Object.entries(series([1, 2, 3], (i) => ({ series: '1.2.3.77', number: 20 + i }))).map(([k, v]) => [`B${k}`, v]),
    );
    const path = folder({ ...series(even), ...other });
    await expect(readVolume(path)).rejects.toThrow(
      /holds two series of equal standing: one of 4 files, for example IM00, and one of 3 files, for example BIM00\n.*give one of its files/,
    );
    expect((await readVolume(join(path, 'BIM00'))).volume.shape).toEqual([3, 3, 4]);
  });

  it.each([
    [
      'an unknown way of storing',
      { transferSyntax: '1.2.840.10008.1.2.4.201' },
      'transfer syntax 1.2.840.10008.1.2.4.201, High-Throughput JPEG 2000',
    ],
    ['colour', { samples: 3, bits: 8, values: Array(36).fill(9) } as DicomFixture, 'is a colour image'],
    [
      'a claim beyond the limits',
      { rows: 65535, columns: 65535, values: [1] },
      'claims 1 frames of 65535×65535 pixels',
    ],
    [
      'fewer pixels than it claims',
      { rows: 30, values: [1, 2] },
      'is truncated, or its header lies: it claims 240 bytes of pixels, and holds 4',
    ],
    ['rows and columns askew', { orientation: [1, 0, 0, 1, 0, 0] }, 'its rows and columns are not at right angles'],
  ])('with %s is refused with a sentence', async (_, spec, message) => {
    const path = folder(series(even, () => spec));
    await expect(readVolume(path)).rejects.toThrow(message);
  });
});

describe('a file of several frames', () => {
  const positions = [
    [10, 20, 38],
    [10, 20, 30],
    [10, 20, 34],
  ];
  it('gives its frames in the order of their positions', async () => {
    const path = join(
      folder({ multi: dicomFixture({ frames: 3, framePositions: positions, slope: 1, intercept: -5 }) }),
      'multi',
    );
    const { volume, grid } = await readVolume(path);
    expect(grid.affine).toEqual([
      [-3, 0, 0, -10],
      [0, -2, 0, -20],
      [0, 0, 4, 30],
    ]);
    expect([volume.data[0], volume.data[12], volume.data[24]]).toEqual([0 - 5, 24 - 5, 12 - 5]);
  });

  it('without positions is read with a notice, or refused where frames are times', async () => {
    const bare = { frames: 3, position: undefined, orientation: undefined };
    const mr = await readVolume(
      join(folder({ a: dicomFixture({ ...bare, modality: 'MR', sopClass: '1.2.840.10008.5.1.4.1.1.7.2' }) }), 'a'),
    );
    expect(mr.spacingKnown).toBe(false);
    expect(mr.notices[0]).toMatch(/has 3 frames without positions/);
    const xa = join(folder({ a: dicomFixture({ ...bare, modality: 'XA' }) }), 'a');
    await expect(readVolume(xa)).rejects.toThrow('in XA they are times, not slices');
  });
});

describe('a single DICOM image', () => {
  const xray = { modality: 'DX', position: undefined, orientation: undefined, sopClass: '1.2.840.10008.5.1.4.1.1.1.1' };
  it('is a picture; MONOCHROME1 is turned round', async () => {
    const grey = join(folder({ a: dicomFixture({ ...xray }) }), 'a');
    const turned = join(folder({ a: dicomFixture({ ...xray, photometric: 'MONOCHROME1' }) }), 'a');
    expect(await inspectImage(grey)).toEqual({ kind: '2D', format: 'dicom', width: 4, height: 3 });
    const [one, two] = [await readImage(grey), await readImage(turned)];
    expect([one.data[0], one.data[35]]).toEqual([0, 255]);
    expect(one.data.every((value, i) => value === 255 - (two.data[i] ?? 0))).toBe(true);
    await expect(readVolume(grey)).rejects.toThrow('is a 2D image, where a volume is expected');
  });

  it('in colour keeps its colours', async () => {
    const values = Array.from({ length: 36 }, (_, i) => 7 * i);
    const path = join(folder({ a: dicomFixture({ ...xray, samples: 3, bits: 8, values }) }), 'a');
    expect([...(await readImage(path)).data]).toEqual(values);
  });
});

it('a file is read or named as broken, whatever its header', async () => {
  const file = dicomFixture({
    frames: 3,
    framePositions: [
      [0, 0, 0],
      [0, 0, 1],
      [0, 0, 2],
    ],
  });
  const path = join(folder({ a: file }), 'a');
  const change = fc.record({ at: fc.integer({ min: 132, max: file.length - 1 }), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 4 }), fc.option(fc.nat(file.length)), async (changes, length) => {
      const damaged = Buffer.from(file.subarray(0, length ?? file.length));
      for (const { at, value } of changes) if (at < damaged.length) damaged[at] = value;
      writeFileSync(path, damaged);
      await inspectImage(path).catch((error: unknown) => {
        expect(error).toBeInstanceOf(UnimissError);
        expect(error).toMatchObject({ code: 'data', details: { place: path } });
      });
    }),
    { numRuns: 300 },
  );
});

const labelled = folderOf('labelled');
describe.skipIf(!labelled)('real DICOM', () => {
  const real = (name: string) => join(labelled ?? '', 'dicom', name);

  it('a CT without endings lies where its labels lie', async () => {
    const { volume, grid, notices, leftOut } = await readVolume(real('ct'));
    expect([volume.shape, notices, leftOut]).toEqual([[20, 512, 512], [], []]);
    expect(grid.affine.map((row) => row.map((x) => +x.toFixed(4)))).toEqual([
      [-0.9766, 0, 0, 249.5117],
      [0, -0.9766, 0, 437.5117],
      [0, 0, 2, -804.5],
    ]);
    let sum = 0;
    for (const value of volume.data) sum += value;
    expect(sum / volume.data.length).toBeCloseTo(-624.1259267807006, 3);
  });

  it('an MR is 6.95 mm apart whatever its tag says, and a file of another form is named', async () => {
    const { volume, notices, leftOut } = await readVolume(real('mr'));
    expect(volume.shape).toHaveLength(3);
    expect(leftOut.map(({ path, why }) => [path, why])).toEqual([
      [real('mr/brain_001.dcm'), 'is of another form: 2490368 bytes follow its image'],
    ]);
    expect(notices).toEqual([
      expect.stringMatching(/^says 2 mm between slices, but their positions are (6\.9\d|7) mm apart/),
    ]);
    expect(Math.max(...volume.spacing)).toBeCloseTo(6.96, 1);
  });

  // Least, largest and mean value that pydicom 3 with pylibjpeg gives.
  it.each([
    ['explicit_big.dcm', 0, 891, 195.2477264404297],
    ['explicit_little.dcm', 0, 252, 32.26474380493164],
    ['implicit_little.dcm', 0, 575, 65.52781677246094],
    ['jpeg_baseline_8bit.dcm', 0, 255, 67.65973683198293],
    ['jpeg_lossless_sel1.dcm', -196, 406, 70.9624072265625],
    ['jpeg_ls.dcm', 6.1e-5, 2253.146119, 283.47739751260565],
    ['rle.dcm', -3024, 1254, -871.3037223815918],
  ])('%s gives the values that pydicom gives', async (name, low, high, mean) => {
    const path = real(`syntaxes/${name}`);
    const header = await readDicomHeader(path);
    if (!header) throw new Error('has an image');
    const values = await decodePixels(path, header);
    let [least, most, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
    for (const stored of values) {
      const value = Number(stored);
      least = Math.min(least, value);
      most = Math.max(most, value);
      sum += value;
    }
    expect(least).toBeCloseTo(low, 6);
    expect(most).toBeCloseTo(high, 6);
    // Two decoders of JPEG round differently.
    expect(Math.abs(sum / values.length - mean)).toBeLessThan(name.includes('baseline') ? 0.1 : 1e-6);
  });

  it('frames of an angiography are refused', async () => {
    await expect(readVolume(real('syntaxes/jpeg_baseline_8bit.dcm'))).rejects.toThrow('in XA they are times');
  });

  it('a folder of single images is no series', async () => {
    expect(readdirSync(real('syntaxes'))).toHaveLength(7);
    await expect(readVolume(real('syntaxes'))).rejects.toThrow();
  });
});
