import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { afterAll, describe, expect, it } from 'vitest';
import { compressNifti } from '../formats/niftiWriter.ts';
import { Random } from '../random.ts';
import { classPositions } from './positions.ts';
import { PreparedCache } from './preparedCache.ts';
import { PreparedFile } from './preparedFile.ts';
import { preparedSize, prepareImage } from './prepareImage.ts';
import { readCase } from './readCase.ts';
import { resizeImage, resizeLabels } from './resizeMaps.ts';
import type { CaseFiles, LabelFiles, PrepareSettings } from './settings.ts';
import type { Size3 } from './types.ts';

const base = mkdtempSync(join(tmpdir(), 'unimiss-prepared-'));
afterAll(() => rmSync(base, { recursive: true }));

const ct: PrepareSettings = {
  ...{ modality: '3D', spacing: [3, 1, 1], size: null },
  channels: [{ name: 'CT', normalization: { scheme: 'clip', range: [-1000, 1000], mean: 0, deviation: 100 } }],
};
const pictures = (channels: number, size: Size3 | null = null): PrepareSettings => ({
  ...{ modality: '2D', spacing: null, size },
  channels: Array.from({ length: channels }, (_, c) => ({
    name: `${c}`,
    normalization: { scheme: 'divide', by: 255 },
  })),
});

async function volume(name: string, shape: Size3, spacing: Size3, value: (i: number) => number): Promise<string> {
  const data = Int16Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => value(i));
  const file = join(base, name);
  writeFileSync(file, await compressNifti({ shape, spacing, data }));
  return file;
}
function picture(name: string, channels: 1 | 3, value: (i: number) => number): string {
  const [width, height] = [6, 4];
  const file = join(base, name);
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => value(i));
  writeFileSync(file, encode({ width, height, data, depth: 8, channels }));
  return file;
}
const map = (path: string, more: Partial<LabelFiles> = {}): LabelFiles => ({
  ...{ overlapping: false, classes: [[0], [5], [9]], ignore: null, from: { kind: 'map', path } },
  ...more,
});

it('has the same size whether a header says 3 mm or, rounded, a little less', () => {
  const sizeAt = (mm: number) =>
    preparedSize({ size: [101, 101, 101], spacing: [mm, mm, mm] }, { spacing: [6, 6, 4], size: null }, 'body.nii.gz');
  expect(sizeAt(3)).toEqual([51, 51, 76]); // 50.5, 50.5, 75.75
  expect(sizeAt(2.9999998912965684)).toEqual(sizeAt(3));
});

describe('resizing', () => {
  const sizes = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 1, max: 7 }))) as fc.Arbitrary<
    [number, number, number]
  >;

  it('keeps a constant and the range of an image, and the set of its labels', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.integer(), (from, to, seed) => {
        const random = new Random(seed);
        const count = from[0] * from[1] * from[2];
        const values = Float32Array.from({ length: count }, () => random.normal());
        const resized = resizeImage(values, from, to, ['linear', 'cubic', 'cubic']);
        expect(resized.length).toBe(to[0] * to[1] * to[2]);
        expect(Math.min(...resized)).toBeGreaterThanOrEqual(Math.min(...values));
        expect(Math.max(...resized)).toBeLessThanOrEqual(Math.max(...values));
        for (const value of resizeImage(values.fill(2), from, to, ['cubic', 'linear', 'cubic']))
          expect(value).toBeCloseTo(2, 5);
        const labels = Uint8Array.from({ length: count }, () => [0, 3, 255][random.int(3)]!);
        for (const label of resizeLabels(labels, from, to)) expect(labels.includes(label)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('to the same size changes nothing', () => {
    const values = Float32Array.of(1, 2, 3, 4);
    expect(resizeImage(values, [1, 2, 2], [1, 2, 2], ['cubic', 'cubic', 'cubic'])).toEqual(values);
    expect(resizeLabels(Uint8Array.of(1, 2, 3, 4), [1, 2, 2], [1, 2, 2])).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it('doubles a line as worked by hand', () => {
    // Linear: positions −¼, ¼, ¾, 5/4 of [0, 4]. Cubic (Keys): weights at ¼ of four points, those outside left out and normalised.
    expect([...resizeImage(Float32Array.of(0, 4), [1, 1, 2], [1, 1, 4], ['linear', 'linear', 'linear'])]).toEqual([
      0, 1, 3, 4,
    ]);
    expect([...resizeLabels(Uint8Array.of(7, 2), [1, 1, 2], [1, 1, 4])]).toEqual([7, 7, 2, 2]);
    expect([...resizeLabels(Uint8Array.of(1, 1, 2, 2, 2, 3), [1, 1, 6], [1, 1, 2])]).toEqual([1, 2]);
  });
});

describe('a case', () => {
  it('comes to the plan’s spacing, its values clipped and normalised, its labels numbered', async () => {
    const image = await volume('a.nii.gz', [4, 4, 4], [3, 2, 2], (i) => (i < 32 ? -2000 : 50));
    const label = await volume('a-label.nii.gz', [4, 4, 4], [3, 2, 2], (i) => (i < 32 ? 5 : 9));
    const stored = await readCase({ id: 'a', images: [image], labels: map(label) }, ct);
    const prepared = prepareImage(stored, ct, image);
    expect(prepared.size).toEqual([4, 8, 8]);
    expect(new Set(prepared.image)).toEqual(new Set([-10, 0.5]));
    for (const [i, value] of prepared.image.entries()) expect(prepared.labels!.data[i]).toBe(value < 0 ? 1 : 2);
    const places = classPositions(prepared.labels!);
    expect([...places].map(([label, { voxels }]) => [label, voxels])).toEqual([
      [1, 128],
      [2, 128],
    ]);
    for (const [label, { places: own }] of places) {
      expect(new Set(own).size).toBe(128);
      for (const place of own) expect(prepared.labels!.data[place]).toBe(label);
    }
  });

  it('of pictures with overlapping masks: one map a class, absent ones empty', async () => {
    const image = picture('p.png', 3, (i) => i % 3);
    const left = picture('left.png', 1, (i) => (i % 6 < 4 ? 255 : 0));
    const settings = pictures(3);
    const labels: LabelFiles = {
      ...{ overlapping: true, classes: [[1], [2]], ignore: null, from: { kind: 'masks', paths: [left, null] } },
    };
    const prepared = prepareImage(await readCase({ id: 'p', images: [image], labels }, settings), settings, image);
    expect(prepared).toMatchObject({ size: [1, 4, 6], channels: 3, labels: { maps: 2 } });
    expect([...prepared.image.subarray(24, 27)]).toEqual([...Float32Array.of(1 / 255, 1 / 255, 1 / 255)]);
    expect([...prepared.labels!.data.subarray(0, 6)]).toEqual([1, 1, 1, 1, 0, 0]);
    expect(prepared.labels!.data.subarray(24).every((value) => value === 0)).toBe(true);
  });

  it('regions of a map may share values; the ignored value is that in every class', async () => {
    const image = await volume('r.nii.gz', [2, 2, 2], [3, 1, 1], () => 0);
    const label = await volume('r-label.nii.gz', [2, 2, 2], [3, 1, 1], (i) => [0, 1, 2, 7][i % 4]!);
    const regions = map(label, { overlapping: true, classes: [[1, 2], [2]], ignore: 7 });
    const { labels } = await readCase({ id: 'r', images: [image], labels: regions }, ct);
    const at = (x: number, y: number) => [0, 1].map((m) => labels!.data[m * 8 + 2 * x + y]);
    // Axes of a file are turned, so places are found by their values.
    expect([at(0, 0), at(0, 1), at(1, 0), at(1, 1)].map(String).sort()).toEqual(['0,0', '1,0', '1,1', '255,255']);
  });

  it.each([
    [
      'an unknown value',
      async () => map(await volume('u.nii.gz', [2, 2, 2], [3, 1, 1], () => 4)),
      /u\.nii\.gz: has the label 4/,
    ],
    [
      'another size',
      async () => map(await volume('s.nii.gz', [2, 2, 3], [3, 1, 1], () => 0)),
      /s\.nii\.gz: has a size of/,
    ],
    ['a picture as a mask', async () => map(picture('m.png', 1, () => 0)), /m\.png: is a picture/],
  ])('with %s is refused by the name of the file', async (_, labels, message) => {
    const image = await volume('i.nii.gz', [2, 2, 2], [3, 1, 1], () => 0);
    await expect(readCase({ id: 'i', images: [image], labels: await labels() }, ct)).rejects.toThrow(message);
  });

  it('in colour is refused where grey is expected; a grey picture serves as one channel and as three', async () => {
    const colour = picture('c.png', 3, (i) => i);
    const grey = picture('g.png', 1, (i) => i);
    await expect(readCase({ id: 'c', images: [colour] }, pictures(1))).rejects.toThrow(/c\.png: is a colour image/);
    expect((await readCase({ id: 'g', images: [grey] }, pictures(1))).channels).toHaveLength(1);
    expect((await readCase({ id: 'g', images: [grey] }, pictures(3))).channels).toHaveLength(3);
    await expect(readCase({ id: 'g', images: [grey, grey] }, pictures(3))).rejects.toThrow(
      /has 2 channels.*the network takes 3[\s\S]*with the channels 0, 1, 2/,
    );
  });

  it('that has masks which overlap is refused where classes exclude each other', async () => {
    const image = picture('o.png', 1, (i) => i);
    const full = picture('full.png', 1, () => 1);
    const labels = map('', { from: { kind: 'masks', paths: [full, full] } });
    await expect(readCase({ id: 'o', images: [image], labels }, pictures(1))).rejects.toThrow(/full\.png: overlaps/);
  });
});

describe('the cache', () => {
  const folder = join(base, 'cache');
  const copies = () => readdirSync(folder).filter((name) => name.endsWith('.prepared'));
  const open = async (files: CaseFiles, settings = ct) => {
    const file = await new PreparedCache(folder, settings).open(files);
    try {
      return { path: file.path, ...(await file.slab()), positions: await file.positions() };
    } finally {
      await file.close();
    }
  };

  it('keeps one copy a content and settings, whatever the file is called, and makes damaged ones anew', async () => {
    const path = await volume('cached.nii.gz', [4, 3, 3], [3, 1, 1], (i) => i);
    const label = await volume('cached-label.nii.gz', [4, 3, 3], [3, 1, 1], (i) => (i === 7 ? 5 : 0));
    const files = { id: 'c', images: [path], labels: map(label) };
    const first = await open(files);
    expect(copies()).toHaveLength(1);
    expect(statSync(join(folder, copies()[0]!)).mode & 0o77).toBe(0);
    expect(first.positions.get(1)).toHaveLength(1);
    mkdirSync(join(base, 'elsewhere'));
    const moved = join(base, 'elsewhere/other.nii.gz');
    writeFileSync(moved, readFileSync(path));
    expect(await open({ ...files, id: 'd', images: [moved] })).toEqual(first);
    truncateSync(first.path, 200);
    expect(await open(files)).toEqual(first);
    expect(copies()).toHaveLength(1);

    await open(files, { ...ct, spacing: [3, 2, 2] });
    expect(copies()).toHaveLength(2);
    writeFileSync(path, await compressNifti({ shape: [4, 3, 3], spacing: [3, 1, 1], data: new Int16Array(36) }));
    utimesSync(path, 1, 1);
    expect((await open(files)).image.image.every((value) => value === 0)).toBe(true);
    expect(copies()).toHaveLength(3);
  });

  it('reads slices alone', async () => {
    const path = await volume('slab.nii.gz', [5, 2, 2], [3, 1, 1], (i) => i);
    const whole = await open({ id: 's', images: [path] });
    const file = await PreparedFile.open(whole.path);
    const { first, image } = await file.slab(2, 4);
    const beyond = await file.slab(-3, 1);
    await file.close();
    expect([first, image.size]).toEqual([2, [2, 2, 2]]);
    expect(image.image).toEqual(whole.image.image.subarray(8, 16));
    expect([beyond.first, beyond.image.image]).toEqual([0, whole.image.image.subarray(0, 4)]);
  });
});
