import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dicomFixture } from '../../daemon/data/formats/dicom/dicom.fixture.ts';
import { writeSegmentation } from '../../daemon/data/formats/dicom/segmentation.ts';
import { readVolume } from '../../daemon/data/formats/image.ts';
import { Random } from '../../daemon/data/random.ts';

const [slices, rows, columns] = [5, 16, 8];

/** A CT series of 5×16×8 voxels in a folder, one file a slice. */
export async function putSeries(folder: string, seed: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const random = new Random('made-up series', seed);
  for (let k = 0; k < slices; k++) {
    const values = Array.from({ length: rows * columns }, (_, i) => (i % columns === 0 ? 0 : 1000 + random.int(200)));
    const place = { position: [5, 6, 4 * k], number: k + 1, series: `1.2.8.${seed}`, instance: `1.2.3.${seed}.${k}` };
    await writeFile(
      join(folder, `IM${k}`),
      dicomFixture({ rows, columns, ...place, values, slope: 1, intercept: -1000 }),
    );
  }
  return folder;
}

/** A DICOM segmentation of a series: liver in its second slice from the head, spleen in its third. */
export async function putSegmentation(
  file: string,
  series: string,
  names: readonly [string, string] = ['liver', 'spleen'],
): Promise<string> {
  const { volume, grid } = await readVolume(series);
  const data = new Uint8Array(volume.data.length);
  const slice = rows * columns;
  data.fill(1, slice + 20, slice + 60);
  data.fill(2, 2 * slice + 40, 2 * slice + 90);
  const labelNames = new Map(names.map((name, i) => [i + 1, name]));
  await writeSegmentation(file, { data, grid, labelNames });
  return file;
}

/** Pairs: `images/NAME/` with a series, and its segmentation as `masks/NAME.dcm`. */
export async function putDicomPairs(root: string, cases: number): Promise<string> {
  await mkdir(join(root, 'masks'), { recursive: true });
  for (let n = 0; n < cases; n++) {
    const series = await putSeries(join(root, 'images', `patient${n}`), n);
    await putSegmentation(join(root, 'masks', `patient${n}.dcm`), series);
  }
  return root;
}
