import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { histogram, moments } from '../../evaluate/features/intensities.ts';
import { classifyByNeighbors } from '../../evaluate/features/knn.ts';
import { linearProbe } from '../../evaluate/features/linearProbe.ts';
import { openLabelled } from '../datasets/labelled/openLabelled.ts';
import { openDataset, type Sample } from '../datasets/unlabelled.ts';
import { readImage } from '../formats/image.ts';
import { readNifti } from '../formats/nifti.ts';
import { isFarFrom, paperSpacing } from '../resample.ts';
import { conditions, drawPatient } from './anatomy.ts';
import { phantomProjection } from './projection.ts';
import { phantomVolume, tissues } from './volume.ts';
import { writePhantoms } from './write.ts';

const dir = mkdtempSync(join(tmpdir(), 'phantoms-'));
afterAll(() => rmSync(dir, { recursive: true }));

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
/** Mean difference of neighbours some voxels apart, in rows and columns, relative to the deviation: arrangement, not intensity. */
function texture(values: ArrayLike<number>, width: number): Float32Array {
  const deviation = moments(values)[1] ?? 1;
  return Float32Array.from(
    [1, 2, 3, 6].flatMap((step) =>
      [step, step * width].map((offset) => {
        let sum = 0;
        for (let i = 0; i + offset < values.length; i++) sum += Math.abs(values[i]! - values[i + offset]!);
        return sum / values.length / deviation;
      }),
    ),
  );
}

describe('writePhantoms', () => {
  const volumes: { sample: Sample; data: Int16Array | Float32Array }[] = [];
  const images: { sample: Sample; data: Uint8Array }[] = [];
  beforeAll(async () => {
    const { manifest } = await writePhantoms(dir, {
      seed: 3,
      volumes: 32,
      images: 48,
      size: { slices: 16, plane: 80, image: 96 },
    });
    const data = await openDataset({ manifest });
    expect(data.broken).toEqual([]);
    for (const sample of data.samples3D) volumes.push({ sample, data: (await readNifti(sample.path)).volume.data });
    for (const sample of data.samples2D) {
      images.push({ sample, data: (await readImage(sample.path)).data.filter((_, i) => i % 3 === 0) });
    }
  });

  it('writes labelled volumes, segmentations and images, the classes in equal numbers', async () => {
    expect([volumes.length, images.length]).toEqual([32, 48]);
    for (const condition of conditions) {
      expect(volumes.filter(({ sample }) => sample.label === condition)).toHaveLength(8);
      expect(images.filter(({ sample }) => sample.label === condition)).toHaveLength(12);
    }
    const rows = readFileSync(join(dir, 'manifest.csv'), 'utf8').trim().split('\n');
    expect(rows.slice(0, 2)).toEqual([
      'path,label,segmentation',
      'volumes/0001.nii.gz,clear,segmentations/0001.nii.gz',
    ]);
    expect(rows.at(-1)).toBe('images/0048.png,effusion,masks/0048.png');
    const { volume, spacingKnown } = await readNifti(join(dir, 'volumes/0001.nii.gz'));
    expect([volume.shape, spacingKnown]).toEqual([[16, 80, 80], true]);
    expect(isFarFrom(volume.spacing, paperSpacing)).toBe(false);
    const labels = (await readNifti(join(dir, 'segmentations/0002.nii.gz'))).volume;
    expect(labels.shape).toEqual(volume.shape);
    expect([...new Set(labels.data)].sort()).toEqual(Object.values(tissues).filter((t) => labels.data.includes(t)));
    for (const tissue of ['body', 'rightLung', 'leftLung', 'spine', 'lesion'] as const) {
      expect(labels.data.filter((value) => value === tissues[tissue]).length).toBeGreaterThan(50);
    }
  });

  it('gives HU: air, lung, soft tissue and bone where they belong', () => {
    const { data } = volumes[0]!;
    expect(mean(data.slice(0, 20))).toBeLessThan(-900);
    expect(Math.max(...data)).toBeGreaterThan(250);
    expect(Math.max(...data)).toBeLessThan(3072);
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-1024);
  });

  it.each(['3D', '2D'] as const)(
    'draws %s classes that shape tells apart and no statistic of intensities',
    (modality) => {
      const values = Array.from({ length: 100 }, (_, i) => {
        const key = [12, modality, i] as const;
        const patient = drawPatient(conditions[i % 4]!, ...key);
        return modality === '3D'
          ? phantomVolume(patient, 8, 56, ...key).volume.data
          : phantomProjection(patient, 56, ...key).image.data.filter((_, k) => k % 3 === 0);
      });
      const range = modality === '3D' ? ([-1024, 600] as const) : ([0, 256] as const);
      const labels = values.map((_, i) => i % 4);
      const featuresOf = (describe: (values: ArrayLike<number>) => Float32Array) => {
        const rows = values.map((image) => Array.from(describe(image)));
        return { features: Float32Array.from(rows.flat()), featureLength: rows[0]!.length, labels };
      };
      const linear = (features: ReturnType<typeof featuresOf>) =>
        linearProbe(features, { perClass: 16, draws: 10 }).accuracy;
      for (const statistic of [(image: ArrayLike<number>) => histogram(image, range), moments]) {
        const features = featuresOf(statistic);
        expect(linear(features)).toBeLessThan(0.35);
        expect(classifyByNeighbors(features, { k: 10 }).accuracy).toBeLessThan(0.35);
      }
      expect(linear(featuresOf((image) => texture(image, 56)))).toBeGreaterThan(0.55);
    },
  );

  it('draws the same bytes in threads and without', async () => {
    const files = [
      'volumes/0002.nii.gz',
      'segmentations/0001.nii.gz',
      'images/0003.png',
      'masks/0003.png',
      'manifest.csv',
    ];
    const [alone, many] = await Promise.all(
      [0, 2].map(async (threads) => {
        const folder = join(dir, `threads${threads}`);
        await writePhantoms(folder, {
          seed: 5,
          volumes: 2,
          images: 3,
          size: { slices: 8, plane: 32, image: 32 },
          threads,
        });
        return files.map((file) => readFileSync(join(folder, file)));
      }),
    );
    expect(many).toEqual(alone);
  });

  it('leaves conditions out of one modality', async () => {
    const { manifest } = await writePhantoms(join(dir, 'some'), {
      seed: 1,
      volumes: 4,
      images: 4,
      size: { slices: 8, plane: 32, image: 32 },
      conditions: { '3D': ['clear', 'nodules'] },
    });
    const { samples2D, samples3D } = await openDataset({ manifest });
    expect(samples3D.map(({ label }) => label)).toEqual(['clear', 'nodules', 'clear', 'nodules']);
    expect(samples2D.map(({ label }) => label)).toEqual([...conditions]);
  });

  it('is a labelled data set for each problem', async () => {
    const found = await Promise.all([
      openLabelled(dir),
      openLabelled(dir, { layout: 'pairs' }),
      openLabelled(join(dir, 'volumes.csv')),
      openLabelled(join(dir, 'images.csv')),
    ]);
    expect(found.map(({ problem, modality, cases }) => [problem, modality, cases.length])).toEqual([
      ['segmentation', '3D', 32],
      ['segmentation', '2D', 48],
      ['classification', '3D', 32],
      ['classification', '2D', 48],
    ]);
    expect(found.map(({ labels }) => labels.length)).toEqual([9, 6, 4, 4]);
    expect(found.flatMap(({ problems }) => problems)).toEqual([]);
  });

  it('repeats exactly for a seed, and differs for another', () => {
    const make = (seed: number) => phantomVolume(drawPatient('nodules', seed), 8, 32, seed);
    expect(make(1).volume.data).toEqual(make(1).volume.data);
    expect(make(1).volume.data).not.toEqual(make(2).volume.data);
    const project = (seed: number) => phantomProjection(drawPatient('fibrosis', seed), 32, seed).image.data;
    expect(project(1)).toEqual(project(1));
    expect(project(1)).not.toEqual(project(2));
  });

  it('refuses sizes in which nothing could be seen', async () => {
    await expect(writePhantoms(dir, { seed: 0, volumes: 1, images: 0, size: { plane: 4 } })).rejects.toThrow(
      /cannot make/,
    );
    await expect(writePhantoms(dir, { seed: 0, volumes: -1, images: 0 })).rejects.toThrow(/cannot make -1 volumes/);
  });
});
