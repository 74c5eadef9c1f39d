import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderOf } from '../../../test/needs.ts';
import { readLabels } from '../../data/formats/image.ts';
import { writeNifti } from '../../data/formats/niftiWriter.ts';
import { evaluateSegmentation } from './evaluateSegmentation.ts';

/** The target of docs/performance.md: 117 classes on a mask of 512×512×280 within this many seconds on 2 cores, reading included. */
const mostSeconds = 20;
const shape = [280, 512, 512] as const;
const [depth, rows, columns] = shape;
const spacing = [1.5, 0.8, 0.8] as const;
const labelled = folderOf('labelled');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-metrics-speed-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A real body, enlarged to the size of a CT as it leaves the scanner, with rounded steps (labels are not interpolated). */
async function enlargedBody(root: string): Promise<(z: number, y: number, x: number) => number> {
  const { shape: size, data } = await readLabels(join(root, 'organs', 'labelsTr', 'body.nii.gz'));
  const [d, r, c] = size;
  return (z, y, x) =>
    data[(Math.floor((z * d) / depth) * r + Math.floor((y * r) / rows)) * c + Math.floor((x * c) / columns)]!;
}

/** 117 ellipsoids in a body-like block, where there are no real images. */
function ellipsoids(z: number, y: number, x: number): number {
  const [a, b, c] = [Math.floor(z / 40), Math.floor(y / 114), Math.floor(x / 114)];
  const label = 1 + ((a * 4 + Math.min(3, b)) * 4 + Math.min(3, c));
  const distance = Math.hypot((z - a * 40 - 20) / 20, (y - b * 114 - 57) / 57, (x - c * 114 - 57) / 57);
  return label <= 117 && distance < 0.95 ? label : 0;
}

test(`117 classes, ${columns}×${rows}×${depth}, within ${mostSeconds} s on 2 cores`, async () => {
  const labelAt = labelled ? await enlargedBody(labelled) : ellipsoids;
  // The prediction is the reference, moved by 2 and 3 voxels and with a rough border, without every ninth class.
  const reference = new Uint8Array(depth * rows * columns);
  const prediction = new Uint8Array(reference.length);
  for (let z = 0, i = 0; z < depth; z++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++, i++) {
        reference[i] = labelAt(z, y, x);
        const wobble = (x >> 3) % 2 === 0 ? 2 : 0;
        const moved = labelAt(Math.min(depth - 1, z + 1), Math.max(0, y - wobble), Math.min(columns - 1, x + 3));
        prediction[i] = moved % 9 === 8 ? 0 : moved;
      }
  // Something far away, so that the slow search has work too.
  for (let i = 0; i < 400; i++) prediction[i * 7919] = 1 + (i % 5);
  const files = [join(folder, 'reference.nii.gz'), join(folder, 'prediction.nii.gz')] as const;
  await writeNifti(files[0], { shape, spacing, data: reference });
  await writeNifti(files[1], { shape, spacing, data: prediction });

  const used = process.cpuUsage();
  const start = performance.now();
  const [r, p] = [await readLabels(files[0]), await readLabels(files[1])];
  const read = performance.now();
  const { cases } = await evaluateSegmentation(
    [
      {
        id: 'case',
        patient: 'patient',
        shape: r.shape,
        spacing: r.spacing,
        labels: { kind: 'map', reference: r.data, prediction: p.data },
      },
    ],
    {
      name: 'speed',
      split: 'test',
      classes: Array.from({ length: 117 }, (_, i) => ({ name: `class ${i + 1}`, values: [i + 1] })),
      threads: 2,
    },
  );
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  const present = cases[0]!.classes.filter((one) => one.referenceVoxels > 0).length;
  console.log(
    `${present} of 117 classes present: ${seconds.toFixed(1)} s, of which reading ${((read - start) / 1000).toFixed(1)} s; ${((user + system) / 1e6).toFixed(1)} s of CPU`,
  );
  expect(present).toBeGreaterThanOrEqual(61);
  expect(seconds).toBeLessThan(mostSeconds);
});
