import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset, type Sample } from '../datasets/unlabelled.ts';
import { readImage } from '../formats/image.ts';
import { readNifti } from '../formats/nifti.ts';
import { conditions, drawPatient } from './anatomy.ts';
import { phantomProjection } from './projection.ts';
import { phantomVolume, tissues } from './volume.ts';
import { writePhantoms } from './write.ts';

const dir = mkdtempSync(join(tmpdir(), 'phantoms-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Share of the items whose nearest other item, by these features (each scaled to deviation 1), has the same label. */
function nearestAgreement(features: readonly (readonly number[])[], labels: readonly string[]): number {
  const columns = features[0]!.map((_, c) => features.map((row) => row[c]!));
  const scales = columns.map((values) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) || 1;
  });
  const distance = (a: number, b: number) =>
    scales.reduce((sum, scale, c) => sum + ((features[a]![c]! - features[b]![c]!) / scale) ** 2, 0);
  const agree = features.filter((_, i) => {
    const others = features.map((_, j) => j).filter((j) => j !== i);
    const nearest = others.reduce((best, j) => (distance(i, j) < distance(i, best) ? j : best));
    return labels[nearest] === labels[i];
  });
  return agree.length / features.length;
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
/** Shares of the values in equal bins: a simple description of an image. */
const histogram = (values: ArrayLike<number>, low: number, high: number, bins: number) => {
  const shares = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((bins * (values[i]! - low)) / (high - low));
    shares[Math.min(bins - 1, Math.max(0, bin))]! += 1 / values.length;
  }
  return shares;
};
/** Mean difference of neighbours a few voxels apart, in rows and columns: texture. */
const texture = (values: ArrayLike<number>, width: number) =>
  [1, 3, 6].flatMap((step) =>
    [step, step * width].map((offset) => {
      let sum = 0;
      for (let i = 0; i + offset < values.length; i++) sum += Math.abs(values[i]! - values[i + offset]!);
      return sum / values.length;
    }),
  );

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
    const { volume, spacingKnown } = await readNifti(join(dir, 'volumes/0001.nii.gz'));
    expect([volume.shape, volume.spacing, spacingKnown]).toEqual([[16, 80, 80], [3, 1, 1], true]);
    const labels = (await readNifti(join(dir, 'segmentations/0002.nii.gz'))).volume;
    expect(labels.shape).toEqual(volume.shape);
    expect([...new Set(labels.data)].sort()).toEqual(Object.values(tissues).filter((t) => labels.data.includes(t)));
    for (const tissue of ['body', 'rightLung', 'leftLung', 'spine', 'lesion'] as const) {
      expect(labels.data.filter((value) => value === tissues[tissue]).length).toBeGreaterThan(50);
    }
  });

  it('gives HU: air, lung, soft tissue and bone where they belong', () => {
    const { data } = volumes[0]!;
    expect(mean(data.slice(0, 80))).toBeLessThan(-950);
    expect(Math.max(...data)).toBeGreaterThan(300);
    expect(Math.max(...data)).toBeLessThan(3072);
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-1024);
  });

  it('makes classes that texture tells apart and the mean intensity does not', () => {
    const labels3D = volumes.map(({ sample }) => sample.label!);
    expect(
      nearestAgreement(
        volumes.map(({ data }) => [mean(data)]),
        labels3D,
      ),
    ).toBeLessThan(0.5);
    const looks = volumes.map(({ data }) => [...histogram(data, -1000, 500, 12), ...texture(data, 80)]);
    expect(nearestAgreement(looks, labels3D)).toBeGreaterThan(0.7);
    const labels2D = images.map(({ sample }) => sample.label!);
    expect(
      nearestAgreement(
        images.map(({ data }) => [mean(data)]),
        labels2D,
      ),
    ).toBeLessThan(0.5);
    const looks2D = images.map(({ data }) => [...histogram(data, 0, 256, 12), ...texture(data, 96)]);
    expect(nearestAgreement(looks2D, labels2D)).toBeGreaterThan(0.6);
  });

  it('repeats exactly for a seed, and differs for another', () => {
    const make = (seed: number) => phantomVolume(drawPatient('nodules', seed), 8, 32, seed);
    expect(make(1).volume.data).toEqual(make(1).volume.data);
    expect(make(1).volume.data).not.toEqual(make(2).volume.data);
    const project = (seed: number) => phantomProjection(drawPatient('fibrosis', seed), 32, seed).data;
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
