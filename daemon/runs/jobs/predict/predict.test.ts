import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, describe, expect, it } from 'vitest';
import type { Predicted } from '../../../../protocol/jobs/predictMessages.ts';
import { dicomFixture } from '../../../data/formats/dicom/dicom.fixture.ts';
import { compressNifti } from '../../../data/formats/niftiWriter.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import { checkImage, checkKind, differences, UnlikeTraining } from './check.ts';
import { classStatistics } from './classStatistics.ts';
import { Finished } from './finished.ts';
import { imagesOfInput, withoutEnding } from './inputs.ts';
import { openResults } from './results.ts';

const base = mkdtempSync(join(tmpdir(), 'unimiss-predict-'));
afterAll(() => rmSync(base, { recursive: true }));

const ct = (name = 'CT'): NetworkPlan['channels'][number] => ({
  name,
  normalization: { scheme: 'clip', range: [-1000, 1000], mean: 0, deviation: 1 },
});

describe('the images of an input', () => {
  it('have ids that name their results; channels of a volume belong together', async () => {
    const folder = join(base, 'several');
    mkdirSync(join(folder, 'b'), { recursive: true });
    const volume = await compressNifti({ shape: [2, 2, 2], spacing: [3, 1, 1], data: new Int16Array(8) });
    for (const name of ['a_0000.nii.gz', 'a_0001.nii.gz', 'b/c_0000.nii', 'b/c_0001.nii'])
      writeFileSync(join(folder, name), volume);
    const { cases: images } = await imagesOfInput(folder, { modality: '3D', channels: [ct('T1'), ct('T2')] });
    expect(images).toEqual([
      { id: 'a', images: [join(folder, 'a_0000.nii.gz'), join(folder, 'a_0001.nii.gz')] },
      { id: 'b/c', images: [join(folder, 'b/c_0000.nii'), join(folder, 'b/c_0001.nii')] },
    ]);
    rmSync(join(folder, 'a_0001.nii.gz'));
    await expect(imagesOfInput(folder, { modality: '3D', channels: [ct('T1'), ct('T2')] })).rejects.toThrow(
      /1 files of the image "a", but 2 expected[\s\S]*a_0000, a_0001[\s\S]*T1, T2/,
    );
  });

  it('are refused where there is none, or two would have results of one name', async () => {
    const folder = join(base, 'none');
    mkdirSync(folder);
    await expect(imagesOfInput(folder, { modality: '2D', channels: [ct()] })).rejects.toThrow(/no image/);
    const png = encode({ width: 1, height: 1, data: Uint8Array.of(1), depth: 8, channels: 1 });
    for (const name of ['x.png', 'x.jpg']) writeFileSync(join(folder, name), png);
    await expect(imagesOfInput(folder, { modality: '2D', channels: [ct()] })).rejects.toThrow(
      /2 files.*"x".*1 expected/,
    );
    expect(withoutEnding('a.b/c.d.nii.gz')).toBe('a.b/c.d');
    expect(withoutEnding('1.2.840.7')).toBe('1.2.840.7');
  });

  it('are DICOM series by their folders, without the results of an earlier prediction', async () => {
    const folder = join(base, 'dicom');
    for (const name of ['1.2.840', 'labels']) mkdirSync(join(folder, name), { recursive: true });
    for (let k = 0; k < 3; k++)
      writeFileSync(join(folder, '1.2.840', `IM${k}`), dicomFixture({ position: [0, 0, k], number: k + 1 }));
    const volume = await compressNifti({ shape: [2, 2, 2], spacing: [3, 1, 1], data: new Int16Array(8) });
    writeFileSync(join(folder, 'labels/1.2.840.nii.gz'), volume);
    writeFileSync(join(folder, 'notes.txt'), 'text');
    const plan = { modality: '3D', channels: [ct()] } as const;
    const series = { id: '1.2.840', images: [join(folder, '1.2.840')] };
    expect(await imagesOfInput(folder, plan, join(folder, 'labels'))).toEqual({
      cases: [series],
      ignored: expect.stringContaining('notes.txt'),
    });
    expect((await imagesOfInput(join(folder, '1.2.840'), plan)).cases).toEqual([series]);
    await expect(imagesOfInput(folder, plan, folder)).rejects.toThrow(/results would overwrite/);
  });
});

describe('a folder of results', () => {
  const result = (image: string, files: string[] = []): Predicted => ({ image, files, notices: [], seconds: 1 });

  it('knows what is finished, over a torn line, until image, settings or result change', async () => {
    const folder = join(base, 'finished');
    mkdirSync(folder);
    const [image, other, label] = ['i.png', 'o.png', 'l.png'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const file of [image, other, label]) writeFileSync(file, 'x');
    const first = await Finished.open(folder, { step: 1 });
    expect(await first.find([image])).toBeUndefined();
    await first.add([image], result(image, [label]));
    appendFileSync(join(folder, 'predicted.jsonl'), '{"key":"torn');
    const second = await Finished.open(folder, { step: 1 });
    expect(await second.find([image])).toEqual(result(image, [label]));
    expect(await second.find([other])).toBeUndefined();
    await second.add([other], result(other));
    const third = await Finished.open(folder, { step: 1 });
    expect(await third.find([other])).toEqual(result(other));
    expect(await (await Finished.open(folder, { step: 2 })).find([image])).toBeUndefined();
    rmSync(label);
    expect(await third.find([image])).toBeUndefined();
    utimesSync(other, 1, 1);
    expect(await third.find([other])).toBeUndefined();
    expect(statSync(join(folder, 'predicted.jsonl')).mode & 0o77).toBe(0);
  });
});

it('opens its folder without the partial files of a killed process, and leaves those of one that lives', async () => {
  const out = join(base, 'partial');
  mkdirSync(join(out, 'sub'), { recursive: true });
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const [left, other, lives] = [
    `.a.nii.gz.${dead}-0a1b.partial`,
    `sub/.b.${dead}-2c.partial`,
    `.c.${process.pid}-3d.partial`,
  ];
  for (const name of [left, other, lives]) writeFileSync(join(out, name), '');
  await openResults(out, [{ id: 'sub/b', images: [] }]);
  expect([left, other, lives].map((name) => existsSync(join(out, name)))).toEqual([false, false, true]);
});

describe('before it computes, a prediction', () => {
  const plan: NetworkPlan = {
    ...{ format: 1, problem: 'segmentation', modality: '3D', labels: 'exclusive', ignore: null, preset: 'nano' },
    ...{ classes: [{ name: 'background', values: [0] }], patch: [16, 32, 32], fit: 'crop' },
    ...{ spacing: [3, 1, 1], channels: [ct()] },
  };
  /** An image that is as large as a window. */
  const stored = (values: number[], spacing: [number, number, number] = [3, 1, 1]) => ({
    ...{ size: [16, 32, 32] as const, spacing, channels: [Float32Array.from(values)] },
  });
  const ordinary = [-1000, 40, 300];
  const found = (...image: Parameters<typeof stored>) => differences(stored(...image), plan);

  it('finds nothing in an image like those of the training, also where it is finer', () => {
    expect(found(ordinary)).toEqual([]);
    expect(found(ordinary, [1, 0.5, 0.5])).toEqual([]);
    expect(found(ordinary, [5, 1, 1])).toEqual([]);
  });

  it.each([
    ['coarse voxels', ordinary, [5, 4, 1], false, /voxels of 5×4×1 mm, much coarser than the 3×1×1 mm.*/],
    ['far too coarse voxels', ordinary, [20, 1, 1], true, /much coarser/],
    ['voxels of another unit', ordinary, [0.3, 0.1, 0.1], true, /0\.3×0\.1×0\.1 mm, much finer/],
    ['slices along another axis', ordinary, [1, 1, 2.5], false, /thick slices along right–left.*along head–feet/],
    ['a thin part', ordinary, [0.6, 1, 1], false, /covers only 9\.6×32×32 mm.*48×32×32 mm at a time/],
    ['stored values', [0, 1024, 2000], [3, 1, 1], true, /from 0 to 2000, which cannot be HU.*intercept/],
    ['no air', [10, 20, 30], [3, 1, 1], false, /there is no air/],
    ['one value', [7, 7, 7], [3, 1, 1], true, /has the value 7 everywhere in CT/],
    [
      'values of another range',
      [-3000, ...Array(40).fill(3000)],
      [3, 1, 1],
      true,
      /only 0\.0 % .* within \[-1000, 1000\]/,
    ],
  ] as [string, number[], [number, number, number], boolean, RegExp][])(
    'names %s',
    (_, values, spacing, refused, what) => {
      expect(found(values, spacing)).toEqual([
        { what: expect.stringMatching(what), remedy: expect.stringMatching(/\.$/), refused },
      ]);
    },
  );

  it('refuses what makes no sense, with what differs, unless its user insists', () => {
    const image = stored(ordinary, [20, 1, 1]);
    expect(() => checkImage('a.nii', image, plan, false)).toThrow(UnlikeTraining);
    expect(() => checkImage('a.nii', image, plan, false)).toThrow(/a\.nii.*much coarser/);
    expect(checkImage('a.nii', image, plan, true)).toEqual([expect.stringMatching(/much coarser.*do not trust/)]);
    expect(checkImage('a.nii', stored(ordinary, [10, 1, 1]), plan, false)).toHaveLength(1);
  });

  it('refuses a picture where volumes are expected, before it reads it', async () => {
    const file = join(base, 'picture.png');
    writeFileSync(file, encode({ width: 2, height: 2, data: new Uint8Array(4), depth: 8, channels: 1 }));
    await expect(checkKind(file, plan)).rejects.toThrow(/is a picture, but the network was trained on volumes/);
    await expect(checkKind(file, { modality: '2D' })).resolves.toBeUndefined();
  });
});

it('measures each class: volume by the spacing, mean of the values, contact with the border', () => {
  const labels = new Uint8Array(27);
  labels[13] = 1; // the middle
  labels[0] = labels[1] = 2;
  const values = Float32Array.from(labels, (_, i) => i);
  const image = { size: [3, 3, 3], spacing: [2, 5, 10], values } as const;
  const expected = [
    { class: 'a', voxels: 1, milliliters: 0.1, mean: 13, touchesBorder: false },
    { class: 'b', voxels: 2, milliliters: 0.2, mean: 0.5, touchesBorder: true },
    { class: 'c', voxels: 0, milliliters: 0, mean: null, touchesBorder: false },
  ];
  const names = ['a', 'b', 'c'];
  expect(classStatistics({ ...image, names, maps: [labels], exclusive: true })).toEqual(expected);
  const masks = names.map((_, k) => labels.map((label) => (label === k + 1 ? 1 : 0)));
  expect(classStatistics({ ...image, names, maps: masks, exclusive: false })).toEqual(expected);
  // Regions share voxels: each is measured by itself.
  const [whole] = classStatistics({ ...image, names: ['d', 'a'], maps: [labels, masks[0]!], exclusive: false });
  expect(whole).toMatchObject({ class: 'd', voxels: 3, touchesBorder: true });
});
