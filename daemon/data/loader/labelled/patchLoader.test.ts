import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compressNifti } from '../../formats/niftiWriter.ts';
import { PatchLoader, type PatchLoaderOptions, trainingSlots } from './index.ts';
import { startAround } from './patchMaker.ts';
import type { TrainingCase } from './types.ts';

const base = mkdtempSync(join(tmpdir(), 'unimiss-patches-'));
afterAll(() => rmSync(base, { recursive: true }));

const shape = [10, 12, 14] as const;
let cases: TrainingCase[];
beforeAll(async () => {
  const one = async (name: string, value: (i: number) => number) => {
    const path = join(base, name);
    const data = Int16Array.from({ length: 10 * 12 * 14 }, (_, i) => value(i));
    writeFileSync(path, await compressNifti({ shape, spacing: [1, 1, 1], data }));
    return path;
  };
  cases = await Promise.all(
    [0, 1, 2].map(
      async (n): Promise<TrainingCase> => ({
        id: `case${n}`,
        images: [await one(`image${n}.nii.gz`, (i) => i + n)],
        labels: {
          ...{ overlapping: false, classes: [[0], [1]], ignore: null },
          from: { kind: 'map', path: await one(`label${n}.nii.gz`, (i) => (i === 900 ? 1 : 0)) },
        },
      }),
    ),
  );
});

const off = {
  ...{ rotation: 0, scaling: 0, noise: 0, blur: 0, brightness: 0, contrast: 0, lowResolution: 0 },
  ...{ gamma: 0, invertedGamma: 0, mirror: 0 },
};
const all = Object.fromEntries(Object.keys(off).map((key) => [key, 1])) as typeof off;

function open(change: Partial<PatchLoaderOptions> = {}): PatchLoader {
  return new PatchLoader({
    ...{ cases, training: [0, 1, 2], batch: 2, stepsPerEpoch: 4, workers: 0, seed: 1, cache: join(base, 'cache') },
    ...{ patch: [4, 6, 6], augment: off, foreground: 0.5, severalOf: null },
    settings: {
      ...{ modality: '3D', spacing: null, size: null },
      channels: [{ name: 'a', normalization: { scheme: 'divide', by: 1 } }],
    },
    ...change,
  });
}

async function allOf(loader: PatchLoader, epoch: number, range = {}) {
  const batches = [];
  for await (const { waitMs: _, ...batch } of loader.epoch(epoch, range)) batches.push(batch);
  await loader.close();
  return batches;
}

describe('batches of an epoch', () => {
  it('are the same from any number of threads and from any batch on, with all changes on', async () => {
    const batches = await allOf(open({ augment: all }), 3);
    expect(batches).toHaveLength(4);
    expect(await allOf(open({ augment: all, workers: 2 }), 3)).toEqual(batches);
    expect(await allOf(open({ augment: all, workers: 1 }), 3, { from: 2, to: 3 })).toEqual(batches.slice(2, 3));
    expect(await allOf(open({ augment: all, seed: 2 }), 3)).not.toEqual(batches);
    expect(await allOf(open({ augment: all }), 4)).not.toEqual(batches);
  });

  it('show a class in the last places of each', async () => {
    const voxels = 4 * 6 * 6;
    for (const { labels, values } of await allOf(open(), 0)) {
      expect([labels.length, values.length]).toEqual([2 * voxels, 2 * voxels]);
      expect(labels.subarray(voxels)).toContain(1);
    }
  });

  it('go through all cases before one comes again', () => {
    const slots = trainingSlots({ training: [4, 5, 6], batch: 2, steps: 5, foreground: 1 / 3 }, 7, 1).flat();
    for (const pass of [0, 1, 2])
      expect(
        slots
          .filter((slot) => slot.repeat === pass)
          .map((slot) => slot.case)
          .sort(),
      ).toEqual([4, 5, 6]);
    expect(slots.map((slot) => slot.foreground)).toEqual([
      false,
      true,
      false,
      true,
      false,
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it('of images with several classes have a column a class', async () => {
    const classified = cases.map(({ labels: _, ...rest }, n) => ({ ...rest, classes: n === 0 ? [] : [n - 1, 2] }));
    const [batch] = await allOf(
      open({ cases: classified, severalOf: 3, training: [2], batch: 1, stepsPerEpoch: 1 }),
      0,
    );
    expect([...batch!.labels]).toEqual([0, 1, 1]);
    const single = cases.map(({ labels: _, ...rest }, n) => ({ ...rest, classes: [n] }));
    const [other] = await allOf(open({ cases: single, training: [2], batch: 1, stepsPerEpoch: 1 }), 0);
    expect([...other!.labels]).toEqual([2]);
  });
});

describe('windows', () => {
  it('have the values of the image; what is outside counts for nothing; batches are full', async () => {
    const loader = open();
    const windows = [0, 6].map((x) => ({ case: 1, start: [8, 0, x] as const }));
    const batches = [];
    for await (const batch of loader.windows([...windows, { case: 0, start: [0, 0, 0] }], 2)) batches.push(batch);
    await loader.close();
    expect(batches.map((batch) => batch.windows.length)).toEqual([2, 1]);
    expect(batches.map((batch) => batch.ids)).toEqual([
      ['case1', 'case1'],
      ['case0', 'case0'],
    ]);
    const labels = batches[0]!.labels.subarray(0, 144);
    expect([...labels.subarray(0, 72)].every((label) => label >= 0)).toBe(true);
    expect([...labels.subarray(72)].every((label) => label === -1)).toBe(true);
    expect(new Set(batches[0]!.values.subarray(72, 144))).toEqual(new Set([0]));
  });

  it('around a voxel stay inside, or hold a smaller image in the middle', () => {
    expect(startAround([0, 5, 11], [10, 12, 14], [4, 6, 6])).toEqual([0, 2, 8]);
    expect(startAround([9, 9, 9], [3, 12, 14], [6, 12, 16])).toEqual([-1, 0, -1]);
  });
});

describe('preparing', () => {
  it('tells sizes, voxels and the middle of each case, and all that cannot be used', async () => {
    const broken = { id: 'broken', images: [join(base, 'none.nii.gz')] };
    const loader = open({ cases: [...cases, broken], workers: 1 });
    const seen: number[] = [];
    const { summaries, failures } = await loader.prepareCases((done) => seen.push(done));
    await loader.close();
    expect(summaries[0]).toMatchObject({ size: shape, voxels: [[1, 1]] });
    expect(summaries[3]).toBeUndefined();
    expect(failures).toMatchObject([{ id: 'broken', error: { code: 'data' } }]);
    expect(seen).toEqual([1, 2, 3, 4]);
  });
});
