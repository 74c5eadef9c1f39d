import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { folderOf } from '../../../../test/needs.ts';
import { writeInGrid } from '../gridWriter.ts';
import { readLabels, readVolume } from '../image.ts';
import { type DicomFixture, dicomFixture } from './dicom.fixture.ts';
import { writeSegmentation } from './segmentation.ts';

const dir = mkdtempSync(join(tmpdir(), 'seg-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;
function series(spec: (k: number) => DicomFixture = () => ({})): string {
  const made = join(dir, `${count++}`);
  mkdirSync(made);
  for (let k = 0; k < 5; k++)
    writeFileSync(
      join(made, `IM${k}`),
      dicomFixture({ rows: 16, columns: 8, position: [5, 6, 4 * k], number: k + 1, ...spec(k) }),
    );
  return made;
}
const names = new Map([
  [1, 'liver'],
  [7, 'spleen'],
]);
/** Labels in two of five slices. */
function labelsOf(voxels: number): Uint8Array {
  const data = new Uint8Array(voxels);
  for (let i = 0; i < 40; i++) data[128 + i] = 1;
  for (let i = 0; i < 30; i++) data[2 * 128 + 5 + i] = 7;
  return data;
}

describe('a DICOM segmentation', () => {
  it.each([
    ['straight', () => ({})],
    ['oblique', (k: number) => ({ orientation: [0.8, 0.6, 0, -0.6, 0.8, 0], position: [5, 6, 4 * k] })],
    ['from the front', (k: number) => ({ orientation: [1, 0, 0, 0, 0, -1], position: [5, 4 * k, 6] })],
    ['without identifiers', () => ({ instance: '', series: '', sopClass: '' })],
  ])('comes back as it was written, with names and in its grid: %s', async (_, spec) => {
    const { volume, grid } = await readVolume(series(spec));
    const data = labelsOf(volume.data.length);
    const path = join(dir, `${count++}.dcm`);
    await writeSegmentation(path, { data, grid, labelNames: names });
    const back = await readLabels(path, { into: grid });
    expect(back.grid.labelNames).toEqual(names);
    expect([...back.data]).toEqual([...data]);
    await expect(readVolume(path)).rejects.toThrow('is a DICOM segmentation: labels, where an image is expected');
  });

  it('of another grid than the image is refused', async () => {
    const { volume, grid } = await readVolume(series());
    const path = join(dir, 'shifted.dcm');
    await writeSegmentation(path, { data: labelsOf(volume.data.length), grid });
    expect((await readLabels(path)).shape).toEqual([2, 16, 8]); // slices without a label are left out
    const moved = await readVolume(series((k) => ({ position: [9, 6, 4 * k] })));
    await expect(readLabels(path, { into: moved.grid })).rejects.toThrow('lies in another grid than its image');
  });

  it('is refused where it cannot be: nothing labelled, no DICOM, tilted slices; nothing is written', async () => {
    const { volume, grid } = await readVolume(series());
    const path = join(dir, 'none.dcm');
    const empty = new Uint8Array(volume.data.length);
    await expect(writeSegmentation(path, { data: empty, grid })).rejects.toThrow('no voxel has a label');
    const { dicomFiles: _, ...nifti } = grid;
    await expect(writeSegmentation(path, { data: labelsOf(empty.length), grid: nifti })).rejects.toThrow(
      'needs a DICOM image',
    );
    const tilted = await readVolume(series((k) => ({ position: [5, 6 + k, 4 * k] })));
    await expect(writeSegmentation(path, { data: labelsOf(empty.length), grid: tilted.grid })).rejects.toThrow(
      'tilted',
    );
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });
});

const labelled = folderOf('labelled');
describe.skipIf(!labelled)('on a real CT series', () => {
  it('labels on its grid become NIfTI and DICOM SEG, which hold the same', async () => {
    const { grid } = await readVolume(join(labelled ?? '', 'dicom/ct'));
    const labels = await readLabels(join(labelled ?? '', 'dicom/ct-labels.nii.gz'));
    const some = labels.data.map((label) => (label < 6 ? label : 0));
    const [seg, nifti] = [join(dir, 'ct.dcm'), join(dir, 'ct.nii.gz')];
    await writeSegmentation(seg, { data: some, grid, labelNames: labels.grid.labelNames });
    await writeInGrid(nifti, { data: some, grid });
    const [one, two] = [await readLabels(seg, { into: grid }), await readLabels(nifti)];
    expect(Buffer.compare(Buffer.from(one.data), Buffer.from(some))).toBe(0);
    expect(Buffer.compare(Buffer.from(two.data), Buffer.from(some))).toBe(0);
    expect(one.grid.labelNames?.get(5)).toBe('liver');
    // The labels that came with the series lie on the same voxels.
    two.affine.flat().forEach((mm, i) => {
      expect(mm).toBeCloseTo(labels.affine.flat()[i] ?? 0, 2);
    });
  });
});
