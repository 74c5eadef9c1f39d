import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Sample } from '../data/datasets/unlabelled.ts';
import { writeNifti } from '../data/formats/niftiWriter.ts';
import { VolumeReader } from '../data/volumes.ts';
import { type Embedder, embedSamples } from './embedSamples.ts';

const dir = mkdtempSync(join(tmpdir(), 'embed-samples-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** The mean of each image as its only feature. */
const means: Embedder = {
  modality: '3D',
  size: [4, 8, 8],
  batch: 2,
  length: 1,
  async run(images) {
    const voxels = 4 * 8 * 8;
    return Float32Array.from({ length: images.length / voxels }, (_, i) => {
      const image = images.subarray(i * voxels, (i + 1) * voxels);
      return image.reduce((a, b) => a + b, 0) / voxels;
    });
  },
};

async function saved(id: string, spacing: [number, number, number], value: number): Promise<Sample> {
  const path = join(dir, id);
  const data = new Int16Array(6 * 8 * 8).fill(value);
  await writeNifti(path, { shape: [6, 8, 8], spacing, data });
  return { id, path, kind: '3D' };
}

it('gives each kind of notice about volumes once, with the first volume and the number of others', async () => {
  const samples = [
    await saved('usual.nii', [3, 1, 1], -500),
    await saved('coarse.nii', [5, 2, 2], -500),
    await saved('coarser.nii', [6, 3, 3], -500),
    await saved('positive.nii', [3, 1, 1], 200),
  ];
  const notices: string[] = [];
  const embedded = await embedSamples(samples, means, new VolumeReader({ spacing: [3, 1, 1], cache: false }), {
    onNotice: (message) => notices.push(message),
  });
  expect(embedded.samples).toEqual(samples);
  expect(notices).toEqual([
    expect.stringMatching(/^coarse\.nii has a spacing of 5×2×2 mm: .*; the same is true of 1 more$/),
    expect.stringMatching(/^positive\.nii has values from 200 to 200.*like all others$/),
  ]);
});
