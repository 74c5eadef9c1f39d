import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dicomFixture } from '../../daemon/data/formats/dicom/dicom.fixture.ts';
import { readLabels, readVolume } from '../../daemon/data/formats/image.ts';
import { writeNifti } from '../../daemon/data/formats/niftiWriter.ts';
import type { StoredLabels, StoredVolume } from '../../daemon/data/formats/storedVolume.ts';
import type { FinetuneInput } from '../../protocol/config/finetune/index.ts';
import { folderOf } from '../needs.ts';
import { dice, resampledInto, turnedGrid } from '../resampled.ts';
import { onlyRun, recordsOf, temporaryFolder, unimiss, writeConfig } from './trainer.ts';

/**
 * A network learns the real body by heart: that shows that training and prediction work on real images, not that the network has a skill.
 * Then the same body, written in other ways, must give the same labels in each grid.
 */
const labelled = folderOf('labelled');
const steps = 300;

/** The whole body fits into one patch, unchanged each time; `slab` shows the same patient with other labels, and is left out. */
function memorising(root: string, own: string): FinetuneInput {
  const split = join(own, 'body.json');
  writeFileSync(split, JSON.stringify([{ train: ['body'], val: ['body'] }]));
  const never = 0;
  return {
    ...{ task: 'finetune', name: 'body', problem: 'segmentation', modality: '3D' },
    data: { path: join(root, 'organs'), fold: 'all', split },
    model: { preset: 'tiny' },
    plan: { spacing: [5.3, 4.8, 5.8], patch: [64, 64, 64] },
    train: {
      ...{ epochs: 6, stepsPerEpoch: steps / 6, batch: 1, lr: 2.5e-3, warmupEpochs: 0.2, weightDecay: 0 },
      ...{ foreground: 1, seed: 1 },
    },
    augment: {
      ...{ rotation: never, scaling: never, noise: never, blur: never, brightness: never, contrast: never },
      ...{ lowResolution: never, gamma: never, invertedGamma: never, mirror: never },
    },
  };
}

/** The labels of the most voxels, without the background. */
function largest(labels: ArrayLike<number>, count: number): number[] {
  const voxels = new Map<number, number>();
  for (let v = 0; v < labels.length; v++) voxels.set(labels[v]!, (voxels.get(labels[v]!) ?? 0) + 1);
  voxels.delete(0);
  return [...voxels]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([label]) => label);
}

/** The array of a volume with some axes turned round, and the affine with which each voxel stays where it is. */
function turned({ volume, affine }: StoredVolume, axes: readonly (0 | 1 | 2)[]) {
  const { shape, data, spacing } = volume;
  const [depth, height, width] = shape;
  const out = new Int16Array(data.length);
  const at = (axis: 0 | 1 | 2, i: number) => (axes.includes(axis) ? shape[axis] - 1 - i : i);
  for (let z = 0, v = 0; z < depth; z++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++, v++) out[(at(0, z) * height + at(1, y)) * width + at(2, x)] = data[v]!;
  const sign = (axis: 0 | 1 | 2) => (axes.includes(axis) ? -1 : 1);
  const rows = affine.map(([a, b, c, t]) => {
    const columns = [a, b, c] as const;
    const moved = axes.reduce<number>((sum, axis) => sum + columns[axis] * (shape[axis] - 1), t);
    return [sign(0) * a, sign(1) * b, sign(2) * c, moved];
  });
  return { shape, spacing, data: out, affine: rows as unknown as StoredVolume['affine'] };
}

/** A series of one file a slice, without endings; slices from head to feet, as the array has them. */
function writeSeries(folder: string, { volume, affine }: StoredVolume): string {
  mkdirSync(folder, { recursive: true });
  const [depth, rows, columns] = volume.shape;
  // From RAS to the patient's coordinates of DICOM, which are LPS.
  const lps = (axis: 0 | 1 | 2 | 3) => [-affine[0][axis], -affine[1][axis], affine[2][axis]] as const;
  const unit = (v: readonly [number, number, number]) => v.map((n) => n / Math.hypot(...v));
  for (let z = 0; z < depth; z++) {
    const values = Array.from(volume.data.subarray(z * rows * columns, (z + 1) * rows * columns), (hu) =>
      Math.round(hu),
    );
    const position = lps(3).map((origin, r) => origin + z * lps(0)[r]!);
    const file = dicomFixture({
      ...{ rows, columns, values, position, number: z + 1, signed: true },
      orientation: [...unit(lps(2)), ...unit(lps(1))],
      pixelSpacing: [volume.spacing[1], volume.spacing[2]],
    });
    writeFileSync(join(folder, `slice${z}`), file);
  }
  return folder;
}

describe.skipIf(!labelled)('a network that knows one body by heart', () => {
  test('labels it, in whatever grid it is written', async () => {
    const root = labelled!;
    const own = temporaryFolder('memory');
    const call = async (...args: string[]) => {
      const result = await unimiss(own, [...args, '--foreground']);
      expect(result.code, result.stderr).toBe(0);
    };
    await call('finetune', writeConfig(own, memorising(root, own)));
    const run = onlyRun(own);
    expect(recordsOf(run).filter(({ kind }) => kind === 'step')).toHaveLength(steps);

    const predict = async (input: string, name: string): Promise<StoredLabels> => {
      const out = join(own, name);
      await call('predict', run, input, '-o', out, '--preview');
      return readLabels(join(out, `${input.split('/').at(-1)!.replace('.nii.gz', '')}.nii.gz`));
    };
    const image = join(root, 'organs', 'imagesTr', 'body_0000.nii.gz');
    const reference = await readLabels(join(root, 'organs', 'labelsTr', 'body.nii.gz'));
    const original = await predict(image, 'original');
    const ten = largest(reference.data, 10);
    const remembered = ten.map((label) => dice(original.data, reference.data, label));
    console.log(`Dice of the ten largest organs: ${remembered.map((value) => value.toFixed(3)).join(' ')}`);

    const body = await readVolume(image);
    const lps = join(own, 'lps.nii.gz');
    await writeNifti(lps, turned(body, [0]));
    const series = writeSeries(join(own, 'series'), body);
    for (const [name, input] of Object.entries({ lps, series })) {
      const labels = await predict(input, `labels-${name}`);
      const given = await readVolume(input);
      expect(labels.affine.flat(), name).toEqual(given.affine.flat().map((value) => expect.closeTo(value, 3)));
      expect(labels.shape, name).toEqual(reference.shape);
      for (const label of largest(original.data, 30))
        expect(dice(labels.data, original.data, label), `${name}, label ${label}`).toBeGreaterThan(0.95);
    }
    // The same body at the voxels of a grid that lies aslant in it.
    const { volume } = body;
    const grid = turnedGrid({ shape: volume.shape, affine: body.affine }, [0.3, 0.15]);
    const values = resampledInto({ ...volume, affine: body.affine }, grid, { nearest: false, outside: -1024 });
    const tilted = join(own, 'oblique.nii.gz');
    await writeNifti(tilted, { ...grid, spacing: volume.spacing, data: Int16Array.from(values, Math.round) });
    const aslant = await predict(tilted, 'labels-oblique');
    expect(aslant.affine.flat()).toEqual(grid.affine.flat().map((value) => expect.closeTo(value, 3)));
    expect(aslant.shape).toEqual(grid.shape);
    const how = { nearest: true, outside: 0 };
    const [inOblique, inOriginal] = [resampledInto(original, aslant, how), resampledInto(aslant, original, how)];
    const agreement = ten.map((label) => [dice(inOblique, aslant.data, label), dice(inOriginal, original.data, label)]);
    console.log(
      `Dice of the oblique body, in either grid: ${agreement.map((a) => a.map((d) => d.toFixed(3)).join('/')).join(' ')}`,
    );
    for (const [i, value] of agreement.flat().entries())
      expect(value, `oblique, label ${ten[i >> 1]}`).toBeGreaterThanOrEqual(0.95);

    const ct = join(root, 'dicom', 'ct');
    const ctLabels = await predict(ct, 'labels-ct');
    const known = await readLabels(join(root, 'dicom', 'ct-labels.nii.gz'));
    expect(ctLabels.shape).toEqual(known.shape);
    expect(ctLabels.affine.flat()).toEqual(known.affine.flat().map((value) => expect.closeTo(value, 2)));
    expect(new Set(ctLabels.data).size).toBeGreaterThan(1);
    for (const [i, value] of remembered.entries()) expect(value, `label ${ten[i]}`).toBeGreaterThanOrEqual(0.8);
  });
});
