import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeInGrid } from '../../daemon/data/formats/gridWriter.ts';
import { readVolume } from '../../daemon/data/formats/image.ts';
import { folderOf } from '../needs.ts';
import { goldenFiles, readGolden } from './values.ts';

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    /** Base64 of files. The labels are the image's values modulo 7. */
    readonly image: string;
    readonly labels: string;
    readonly affine: readonly (readonly number[])[];
  }[];
  readonly real: readonly {
    readonly path: string;
    readonly shape: readonly number[];
    readonly affine: readonly (readonly number[])[];
    readonly axes: string;
    readonly type: string;
    readonly sum: number;
  }[];
}

/** Bytes of a header that say how many voxels there are, of which type, where in the file and where in the patient. */
const placing = {
  348: [
    [40, 56],
    [70, 74],
    [76, 112],
    [123, 124],
    [252, 328],
    [344, 352],
  ],
  540: [
    [4, 80],
    [104, 176],
    [344, 500],
    [500, 504],
    [540, 544],
  ],
} as const;

const dir = mkdtempSync(join(tmpdir(), 'nibabel-'));
afterAll(() => rmSync(dir, { recursive: true }));
const files = goldenFiles(/^nifti-grids\.json$/);

describe.each(files)('%s', (file) => {
  const { cases, real } = readGolden<Golden>(file);

  it.each(cases)('labels in the grid of an image are the bytes that nibabel writes: $name', async (golden) => {
    const [image, labels] = [join(dir, 'image.nii'), join(dir, 'labels.nii')];
    writeFileSync(image, Buffer.from(golden.image, 'base64'));
    const { volume, grid } = await readVolume(image);
    golden.affine.slice(0, 3).forEach((row, r) => {
      row.forEach((mm, c) => {
        expect(grid.affine[r]?.[c]).toBeCloseTo(mm, 4);
      });
    });
    const data = Uint8Array.from(volume.data, (value) => value % 7);
    await writeInGrid(labels, { data, grid });
    const [written, expected] = [readFileSync(labels), Buffer.from(golden.labels, 'base64')];
    const size = grid.niftiHeader?.length === 540 ? 540 : 348;
    for (const [from, to] of placing[size])
      expect([from, written.subarray(from, to).toString('hex')]).toEqual([
        from,
        expected.subarray(from, to).toString('hex'),
      ]);
    expect([...written.subarray(size + 4)]).toEqual([...expected.subarray(size + 4)]);
  });

  const labelled = folderOf('labelled');
  it.skipIf(!labelled).each(real)('nibabel and UniMiSS read the same from $path ($axes)', async (golden) => {
    const { volume, grid } = await readVolume(join(labelled ?? '', golden.path));
    expect([...grid.size]).toEqual(golden.shape);
    expect(grid.type).toBe(golden.type);
    golden.affine.slice(0, 3).forEach((row, r) => {
      row.forEach((mm, c) => {
        expect(grid.affine[r]?.[c]).toBeCloseTo(mm, 5);
      });
    });
    let sum = 0;
    for (const value of volume.data) sum += value;
    expect(sum).toBe(golden.sum);
  });
});
