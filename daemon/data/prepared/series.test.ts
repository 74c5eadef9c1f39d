import { cp, mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putSegmentation, putSeries } from '../../../test/labelled/dicomSet.ts';
import { planDataset } from '../datasets/labelled/plan/planDataset.ts';
import { dicomFixture } from '../formats/dicom/dicom.fixture.ts';
import { niftiFixture } from '../formats/nifti.fixture.ts';
import { PreparedCache, prunePrepared } from './preparedCache.ts';
import type { PreparedFile } from './preparedFile.ts';
import { readCase } from './readCase.ts';
import type { LabelFiles, PrepareSettings } from './settings.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'series-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const settings: PrepareSettings = {
  ...{ modality: '3D', spacing: null, size: null },
  channels: [{ name: 'CT', normalization: { scheme: 'clip', range: [-1000, 1000], mean: 0, deviation: 1 } }],
};
const labelsIn = (path: string): LabelFiles => ({
  ...{ overlapping: false, classes: [[0], [1], [2]], ignore: null, from: { kind: 'map', path } },
});
const machine = { cores: 2, memory: 2 ** 35, gpu: null };

async function pathOf(file: Promise<PreparedFile>): Promise<string> {
  const opened = await file;
  await opened.close();
  return opened.path;
}

describe('a DICOM series with a DICOM segmentation', () => {
  it('is prepared with the labels at their slices, and found again by the content of its files', async () => {
    const series = await putSeries(join(root, 'ct'), 1);
    const labels = labelsIn(await putSegmentation(join(root, 'ct.dcm'), series));
    const cache = new PreparedCache(join(root, 'cache'), settings);
    const file = await cache.open({ id: 'ct', images: [series], labels });
    expect(file.header).toMatchObject({
      size: [5, 16, 8],
      voxels: [
        [1, 40],
        [2, 50],
      ],
    });
    await file.close();
    const stored = await readCase({ id: 'ct', images: [series], labels }, settings);
    const data = stored.labels?.data ?? new Uint8Array();
    expect([0, 1, 2, 3, 4].map((k) => [...new Set(data.subarray(k * 128, (k + 1) * 128))].sort())).toEqual([
      [0],
      [0, 1],
      [0, 2],
      [0],
      [0],
    ]);

    const copy = join(root, 'copy of it');
    await cp(series, copy, { recursive: true });
    await rename(join(copy, 'IM0'), join(copy, 'another name'));
    expect(await pathOf(cache.open({ id: 'copy', images: [copy], labels }))).toBe(file.path);
    // One of its files stands for the series.
    expect(await pathOf(cache.open({ id: 'copy', images: [join(copy, 'IM3')], labels }))).toBe(file.path);
    const place = { position: [5, 6, 8], number: 3, series: '1.2.8.1', instance: '1.2.3.1.2' };
    await writeFile(join(copy, 'IM2'), dicomFixture({ rows: 16, columns: 8, ...place }));
    expect(await pathOf(cache.open({ id: 'copy', images: [copy], labels }))).not.toBe(file.path);
  });

  it('takes the names of the labels from the segmentations, in a folder of their own too', async () => {
    const set = join(root, 'set');
    for (const name of ['a', 'b']) {
      const series = await putSeries(join(set, 'images', name), name.charCodeAt(0));
      await mkdir(join(set, 'masks', name), { recursive: true });
      await putSegmentation(join(set, 'masks', name, 'seg'), series);
    }
    const { dataset, findings } = await planDataset(set, { machine, folds: 2 });
    expect(findings).toEqual([]);
    expect(dataset.labels.map(({ name }) => name)).toEqual(['background', 'liver', 'spleen']);
    expect(dataset.cases).toHaveLength(2);
  });

  it('is refused where files number the labels differently, or the segmentation is of another image', async () => {
    const set = join(root, 'mixed');
    await mkdir(join(set, 'masks'), { recursive: true });
    const names = { a: ['liver', 'spleen'], b: ['spleen', 'liver'] } as const;
    for (const [name, own] of Object.entries(names)) {
      const series = await putSeries(join(set, 'images', name), name.charCodeAt(0));
      await putSegmentation(join(set, 'masks', `${name}.dcm`), series, own);
    }
    const { findings } = await planDataset(set, { machine, folds: 2 });
    const told = findings.map(({ place, what }) => `${place} ${what}`).join('\n');
    expect(told).toMatch(/b\.dcm calls its label 1 “spleen”, which is “liver” in .*a\.dcm/);

    await writeFile(join(set, 'labels.json'), JSON.stringify({ background: 0, Liver: 1, Spleen: 2 }));
    const described = await planDataset(set, { machine, folds: 2 });
    expect(described.findings.map(({ place, what }) => `${place} ${what}`).join('\n')).toMatch(
      /b\.dcm .*calls its label 1 “spleen”, which the data set numbers 2/,
    );
    const other = await putSeries(join(root, 'other'), 9);
    for (let k = 0; k < 5; k++)
      await writeFile(
        join(other, `IM${k}`),
        dicomFixture({ rows: 16, columns: 8, position: [50, 6, 4 * k], number: k + 1 }),
      );
    await expect(
      readCase({ id: 'x', images: [other], labels: labelsIn(join(set, 'masks/a.dcm')) }, settings),
    ).rejects.toThrow('lies in another grid than its image');
  });
});

it('prepared images that were not used for longest make room, those of the run stay', async () => {
  const cache = new PreparedCache(join(root, 'small cache'), settings);
  const paths: string[] = [];
  for (const n of [0, 1, 2]) {
    const path = join(root, `${n}.nii`);
    await writeFile(
      path,
      niftiFixture({ size: [8, 8, 4], values: Array.from({ length: 256 }, (_, i) => i * (n + 1)) }),
    );
    paths.push(await pathOf(cache.open({ id: `${n}`, images: [path] })));
  }
  for (const [n, path] of paths.entries()) await utimes(path, 1000 + n, 1000 + n);
  // Opening counts as use.
  await pathOf(cache.open({ id: '1', images: [join(root, '1.nii')] }));
  const { size } = await stat(paths[0] ?? '');
  const folder = join(root, 'small cache');
  expect(await prunePrepared(folder, new Set([paths[0] ?? '']), 2.5 * size)).toMatchObject({ files: 1 });
  const left = (await readdir(folder)).filter((name) => name.endsWith('.prepared'));
  expect(left.sort()).toEqual([paths[0], paths[1]].map((path) => basename(path ?? '')).sort());
});

describe('an image of several volumes (4-D)', () => {
  const size = [8, 8, 4, 2];
  const values = Array.from({ length: 512 }, (_, i) => (i < 256 ? -1000 + i : i));

  it('is refused with a sentence, or the wanted volume is read', async () => {
    const path = join(root, 'times.nii');
    await writeFile(path, niftiFixture({ size, values, qform: [1, 0, 0, 0, 0, 0, 0] }));
    const files = { id: 'times', images: [path] };
    const cache = (volume?: number) =>
      new PreparedCache(join(root, 'cache'), { ...settings, ...(volume !== undefined && { volume }) });
    await expect(cache().open(files)).rejects.toThrow(/is 4-D \(8×8×4×2\).*data\.volume/s);
    const means = [];
    for (const volume of [0, 1]) {
      const file = await cache(volume).open(files);
      const { image } = await file.slab(0, 4);
      means.push(image.image.reduce((sum, value) => sum + value, 0) / image.image.length);
      await file.close();
    }
    expect(means).toEqual([-1000 + 127.5, 256 + 127.5]);
    await expect(cache(2).open(files)).rejects.toThrow('holds 2 volumes, and not one with the number 2');
  });

  it('of a data set: planned with the volume that is asked for, else a finding', async () => {
    const set = join(root, 'perfusion');
    for (const folder of ['images', 'masks']) await mkdir(join(set, folder), { recursive: true });
    for (const [n, name] of ['a', 'b'].entries()) {
      const own = values.map((value) => value + n);
      await writeFile(join(set, 'images', `${name}.nii`), niftiFixture({ size, values: own }));
      const labels = Array.from({ length: 256 }, (_, i) => (i > 99 && i < 140 ? 1 : 0));
      await writeFile(join(set, 'masks', `${name}.nii`), niftiFixture({ size: size.slice(0, 3), values: labels }));
    }
    await expect(planDataset(set, { machine, folds: 2 })).rejects.toThrow(/no usable case.*is 4-D/s);
    const { config, findings } = await planDataset(set, { machine, folds: 2, volume: 1 });
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(config).toContain('"volume": 1');
  });
});
