import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { predictTaskSchema } from '../../../../protocol/jobs/predictMessages.ts';
import { dice, resampledInto, turnedGrid } from '../../../../test/resampled.ts';
import { readLabels, readVolume } from '../../../data/formats/image.ts';
import { writeNifti } from '../../../data/formats/niftiWriter.ts';
import { untrainedExport } from './network.fixtures.ts';
import type { OpenNetworks } from './network.ts';
import { openSources } from './openSources.ts';
import { predictImages } from './predictImages.ts';

/**
 * A body that is resampled into an oblique grid has the labels that it has in a straight one. The network stands for one that knows bodies
 * only as they lie along the axes: it calls "liver" what is bright over a long way from right to left.
 */
const base = mkdtempSync(join(tmpdir(), 'unimiss-oblique-'));
afterAll(() => rmSync(base, { recursive: true }));

/** Windows hold all of the image in the plane: one that saw a part of the bar would call it short. */
const [window, shortest] = [[16, 112, 112] as const, 36];
const open: OpenNetworks = async ([{ plan }]) => ({
  ...{ plan, step: 1, members: [{ id: 'rows', step: 1 }], window, stride: 1, close: () => undefined },
  runs: [
    async (image) => {
      const [depth, height, width] = window;
      const logits = new Float32Array(depth * height * width * 3);
      for (let row = 0; row < depth * height; row++)
        for (let from = 0; from < width; ) {
          let to = from;
          while (to < width && image[row * width + to]! > 0) to++;
          for (let x = from; x < to; x++) logits[(row * width + x) * 3 + (to - from >= shortest ? 1 : 0)] = 9;
          if (to < width) logits[(row * width + to) * 3] = 9;
          from = to + 1;
        }
      return logits;
    },
  ],
});

/** Values from 0 at the edge of the bar. */
const plan = {
  spacing: [2, 2, 2] as [number, number, number],
  channels: [
    {
      name: 'MR',
      normalization: { scheme: 'clip' as const, range: [0, 1000] as [number, number], mean: 500, deviation: 100 },
    },
  ],
};

/** A bar from right to left, 90 mm long, in voxels of 2 mm. */
const shape = [32, 56, 60] as const;
const affine = [
  [0, 0, -2, 60],
  [0, -2, 0, 55],
  [-2, 0, 0, 30],
] as const;
function bar(): Int16Array {
  const data = new Int16Array(shape[0] * shape[1] * shape[2]);
  for (let z = 0, v = 0; z < shape[0]; z++)
    for (let y = 0; y < shape[1]; y++)
      for (let x = 0; x < shape[2]; x++, v++) {
        const [a, b, c] = [(z - 15) / 7, (y - 28) / 7, (x - 30) / 22];
        data[v] = a * a + b * b + c ** 8 < 1 ? 900 : 100;
      }
  return data;
}

let straightImage: string;
let obliqueImage: string;
beforeAll(async () => {
  straightImage = join(base, 'straight.nii.gz');
  await writeNifti(straightImage, { shape, spacing: [2, 2, 2], data: bar(), affine });
  const grid = turnedGrid({ shape, affine }, [0.5, 0.3]);
  const values = resampledInto({ shape, data: bar(), affine }, grid, { nearest: false, outside: 100 });
  obliqueImage = join(base, 'oblique.nii.gz');
  await writeNifti(obliqueImage, { ...grid, spacing: [2, 2, 2], data: Int16Array.from(values, Math.round) });
});

async function labelsOf(image: string, network: string, change: { probabilities?: boolean } = {}) {
  const out = join(base, `${network.split('/').at(-1)}-labels`);
  const task = predictTaskSchema.parse({ run: network, input: image, out, ...change });
  const result = await predictImages(await openSources([network]), task, () => undefined, open);
  expect(result.failed).toEqual([]);
  const [predicted] = result.predicted;
  const name = image.split('/').at(-1) ?? '';
  return { ...(await readLabels(join(out, name))), notices: predicted?.notices ?? [], files: predicted?.files ?? [] };
}

it('is turned for a network that was trained on straight images: the same labels in either grid', async () => {
  const network = await untrainedExport(join(base, 'straight'), { ...plan, tilt: 0.2 });
  const straight = await labelsOf(straightImage, network);
  const oblique = await labelsOf(obliqueImage, network, { probabilities: true });
  expect(straight.data.filter((label) => label === 5).length).toBeGreaterThan(4000);
  expect(straight.notices.join()).not.toContain('oblique');
  expect(oblique.notices.join()).toContain('is oblique (');
  const given = await readVolume(obliqueImage);
  expect(oblique.shape).toEqual(given.volume.shape);
  expect(oblique.affine).toEqual(given.affine);
  const how = { nearest: true, outside: 0 };
  expect(dice(resampledInto(oblique, straight, how), straight.data, 5)).toBeGreaterThan(0.95);
  expect(dice(resampledInto(straight, oblique, how), oblique.data, 5)).toBeGreaterThan(0.95);

  const probability = oblique.files.find((file) => file.endsWith('liver.probability.nii.gz'));
  const likely = await readVolume(probability ?? '');
  expect(likely.affine.flat()).toEqual(given.affine.flat().map((value) => expect.closeTo(value, 4)));
  expect(
    dice(
      Uint8Array.from(likely.volume.data, (p) => (p > 0.5 ? 5 : 0)),
      oblique.data,
      5,
    ),
  ).toBeGreaterThan(0.99);
});

it.each([
  ['was trained on oblique images itself', 12],
  ['does not say what it was trained on', undefined],
])('stays as it is for a network that %s', async (_, tilt) => {
  const change = { ...plan, ...(tilt !== undefined && { tilt }) };
  const network = await untrainedExport(join(base, `other-${tilt}`), change);
  const oblique = await labelsOf(obliqueImage, network);
  expect(oblique.notices.join()).not.toContain('oblique');
  // Along the rows of the array the bar is short: this network does not know it.
  expect(oblique.data.filter((label) => label === 5).length).toBeLessThan(1000);
});
