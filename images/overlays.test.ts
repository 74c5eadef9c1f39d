import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { afterAll, describe, expect, it } from 'vitest';
import { type NiftiFixture, niftiFixture } from '../daemon/data/formats/nifti.fixture.ts';
import { readPiece } from '../protocol/viewer/readPiece.ts';
import { folderOf } from '../test/needs.ts';
import { findOverlays } from './findOverlays.ts';
import { OpenImage } from './openImage.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-overlays-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, spec: NiftiFixture | string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof spec === 'string' ? spec : gzipSync(niftiFixture(spec)));
  return path;
}

const size = [6, 5, 4] as const;
const count = 6 * 5 * 4;
const ras = [
  [2, 0, 0, 0],
  [0, 2, 0, 0],
  [0, 0, 5, 0],
];
const noise = Array.from({ length: count }, (_, n) => ((n * 7919) % 997) - 500);
/** Label 3 fills the plane k = 2 but for one voxel, and label 1 one voxel of k = 0. */
const labels3D = Array.from({ length: count }, (_, n) => (n >= 61 && n < 90 ? 3 : n === 7 ? 1 : 0));
const open = async (path: string) => OpenImage.open(path, 0, () => {});

describe('labels over an image', () => {
  const image = write('a/imagesTr/case_0000.nii.gz', { size, sform: ras, values: noise });
  const reference = write('a/labelsTr/case.nii.gz', { size, sform: ras, type: 2, values: labels3D });
  write('a/labelsTs/case.nii.gz', { size, sform: ras, type: 2, values: labels3D });
  write('a/labelsTr/case2.nii.gz', { size, sform: ras, type: 2, values: labels3D });
  const prediction = write('a/predictionsTr/case.nii.gz', { size, sform: ras, type: 2, values: labels3D });
  write(
    'a/dataset.json',
    JSON.stringify({ labels: { background: 0, liver: 1, 'left <b>lung</b>': 3, whole: [1, 3] } }),
  );

  it('are found by their names', async () => {
    expect(await findOverlays(image)).toEqual([reference, prediction]);
    const beside = write('b/ct.nii.gz', { size, values: noise });
    const own = write('b/ct-labels.nii.gz', { size, type: 2, values: labels3D });
    write('b/ct2-labels.nii.gz', { size, type: 2, values: labels3D });
    expect(await findOverlays(beside)).toEqual([own]);
  });

  it('are not found by links that leave the data set, nor among what is no file', async () => {
    const elsewhere = write('elsewhere/secret.nii.gz', { size, type: 2, values: labels3D });
    const own = write('c/imagesTr/x_0000.nii.gz', { size, values: noise });
    const kept = write('c/store/1.nii.gz', { size, type: 2, values: labels3D });
    for (const name of ['labels', 'labelsTr', 'predictions']) mkdirSync(join(folder, 'c', name));
    symlinkSync(elsewhere, join(folder, 'c/labels/x.nii.gz'));
    symlinkSync(kept, join(folder, 'c/labelsTr/x.nii.gz'));
    execFileSync('mkfifo', [join(folder, 'c/predictions/x.nii.gz')]);
    symlinkSync(elsewhere, join(folder, 'c/imagesTr/x_0000-labels.nii.gz'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'c/imagesTr/x_0000-mask.nii.gz'));
    symlinkSync(dirname(elsewhere), join(folder, 'c/segmentations'));
    write('elsewhere/x.nii.gz', { size, type: 2, values: labels3D });
    expect(await findOverlays(own)).toEqual([join(folder, 'c/labelsTr/x.nii.gz')]);
  });

  it('are found in a data set of links', async () => {
    const real = write('d/original/x/ct.nii.gz', { size, values: noise });
    const labels = write('d/original/x/seg.nii.gz', { size, type: 2, values: labels3D });
    for (const name of ['imagesTr', 'labelsTr']) mkdirSync(join(folder, 'links', name), { recursive: true });
    symlinkSync(real, join(folder, 'links/imagesTr/x_0000.nii.gz'));
    symlinkSync(labels, join(folder, 'links/labelsTr/x.nii.gz'));
    expect(await findOverlays(join(folder, 'links/imagesTr/x_0000.nii.gz'))).toEqual([
      join(folder, 'links/labelsTr/x.nii.gz'),
    ]);
  });

  it('have names, volumes and a largest slice', async () => {
    const layer = await (await open(image)).addLayer(reference, false);
    expect(layer).toMatchObject({ layer: 1, name: 'case.nii.gz', notices: [] });
    // Slices run from the head down: k = 2 is the second, k = 0 the last of four.
    expect(layer.content).toEqual({
      kind: 'labels',
      labels: [
        { value: 1, name: 'liver', voxels: 1, milliliters: 0.02, largest: [3, 3, 4] },
        { value: 3, name: 'left <b>lung</b>', voxels: 29, milliliters: 0.58, largest: [1, 3, 4] },
      ],
    });
  });

  it('lie where their own header puts them', async () => {
    // The same voxels, stored from left to right and from the head down.
    const turned = Array.from({ length: count }, (_, n) => {
      const [i, j, k] = [n % 6, Math.floor(n / 6) % 5, Math.floor(n / 30)];
      return labels3D[5 - i + 6 * j + 30 * (3 - k)] ?? 0;
    });
    const sform = [
      [-2, 0, 0, 10],
      [0, 2, 0, 0],
      [0, 0, -5, 15],
    ];
    const same = write('turned.nii.gz', { size, sform, type: 2, values: turned });
    // Twice as fine along i, so that two of its voxels lie on one of the image's.
    const fine = write('fine.nii.gz', {
      size: [12, 5, 4],
      sform: [[1, 0, 0, -0.5], ras[1] ?? [], ras[2] ?? []],
      type: 2,
      values: labels3D.flatMap((label) => [label, label]),
    });
    const base = await open(image);
    const added = [
      await base.addLayer(reference, false),
      await base.addLayer(same, false),
      await base.addLayer(fine, false),
    ];
    expect(added.map(({ layer, notices }) => [layer, notices.length])).toEqual([
      [1, 0],
      [2, 0],
      [3, 1],
    ]);
    for (const plane of ['axial', 'coronal', 'sagittal'] as const) {
      const planes = await Promise.all([1, 2, 3].map((layer) => base.plane({ plane, index: 2, layer })));
      const read = await Promise.all(planes.map(readPiece));
      const [one, two, three] = read.map(({ numbers }) => [...numbers]);
      expect(two).toEqual(one);
      expect(three).toEqual(one);
    }
  });

  it('are read again when their file has changed', async () => {
    const base = await open(image);
    const path = write('growing.nii.gz', { size, sform: ras, type: 2, values: labels3D.map(() => 0) });
    const { layer, content } = await base.addLayer(path, false, { title: 'growing' });
    expect(content).toEqual({ kind: 'labels', labels: [] });
    write('growing.nii.gz', { size, sform: ras, type: 2, values: labels3D });
    const again = await base.reloadLayer(layer);
    expect(again).toMatchObject({ layer, title: 'growing', content: { labels: [{ value: 1 }, { value: 3 }] } });
    const { numbers } = await readPiece(await base.plane({ plane: 'axial', index: 1, layer }));
    expect(new Set(numbers)).toEqual(new Set([0, 3]));
    base.removeLayer(layer);
    await expect(base.reloadLayer(layer)).rejects.toThrow('has no layer');
  });

  it('are told from images', async () => {
    expect(await (await open(image)).ownLabels()).toBeUndefined();
    expect((await (await open(reference)).ownLabels())?.content).toMatchObject({ kind: 'labels' });
    const probabilities = write('p.nii.gz', {
      size,
      sform: ras,
      type: 16,
      values: noise.map((v) => Math.abs(v) / 501),
    });
    expect((await (await open(image)).addLayer(probabilities, false)).content).toMatchObject({
      kind: 'values',
      range: { low: 0, high: 1 },
    });
  });
});

describe('labels over a picture', () => {
  const grey = (name: string, width: number, height: number, values: number[], depth: 8 | 16 = 8) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const data = depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values);
    writeFileSync(path, encode({ width, height, data, channels: 1, depth }));
    return path;
  };
  const picture = grey('p/images/x.png', 4, 3, Array(12).fill(100));
  const mask = [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 2];
  const labels = grey('p/labels/x.png', 4, 3, mask);
  writeFileSync(join(folder, 'p/dataset.json'), JSON.stringify({ labels: { '<b>heart</b>': 1 } }));

  it('are found by their names, also those of a JPEG', async () => {
    expect(await findOverlays(picture)).toEqual([labels]);
    expect(await findOverlays(join(folder, 'p/images/x.jpg'))).toEqual([labels]);
  });

  it('lie on its pixels, with names and areas', async () => {
    const image = await open(picture);
    const layer = await image.addLayer(labels, false);
    expect(layer.content).toEqual({
      kind: 'labels',
      labels: [
        { value: 1, name: '<b>heart</b>', voxels: 4, milliliters: undefined, largest: [0, 0, 2] },
        { value: 2, name: 'label 2', voxels: 1, milliliters: undefined, largest: [0, 2, 3] },
      ],
    });
    const { numbers } = await readPiece(await image.plane({ plane: 'axial', index: 0, layer: 1 }));
    expect([...numbers]).toEqual(mask);
    expect((await readPiece(await image.plane({ plane: 'axial', index: 0 }))).kind).toBe('rgb');
  });

  it('are values where that is said', async () => {
    const layer = await (await open(picture)).addLayer(labels, false, { values: true });
    expect(layer.content).toEqual({ kind: 'values', range: { low: 0, high: 2 } });
  });

  it('need its size, and are no volume', async () => {
    const image = await open(picture);
    const other = grey('p/other.png', 3, 4, mask);
    await expect(image.addLayer(other, true)).rejects.toThrow('has 3 × 4 pixels, and the picture 4 × 3 pixels');
    const volume = write('p/volume.nii.gz', { size, type: 2, values: labels3D });
    await expect(image.addLayer(volume, true)).rejects.toThrow(/voxels, and the picture/);
  });
});

const labelled = folderOf('labelled');
it.skipIf(!labelled)('real labels are recognised: 31 organs on a DICOM series, with their names', async () => {
  const series = join(labelled ?? '', 'dicom', 'ct');
  const image = await open(series);
  const [path = ''] = await findOverlays(series);
  expect(path).toMatch(/ct-labels\.nii\.gz$/);
  const layer = await image.addLayer(path, false);
  expect(layer.notices).toEqual([]);
  expect(layer.content.kind === 'labels' && layer.content.labels).toHaveLength(31);
});
