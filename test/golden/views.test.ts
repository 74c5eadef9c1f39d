import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blurImage } from '../../daemon/data/augment/blur2D.ts';
import { blurSlices } from '../../daemon/data/augment/blur3D.ts';
import { stretchContrast } from '../../daemon/data/augment/contrast3D.ts';
import { flipHorizontally } from '../../daemon/data/augment/flip2D.ts';
import { applyGamma } from '../../daemon/data/augment/gamma3D.ts';
import { toGrey } from '../../daemon/data/augment/grey.ts';
import { applyJitter, type JitterStep } from '../../daemon/data/augment/jitter.ts';
import { resizedCrop } from '../../daemon/data/augment/resizedCrop.ts';
import { resizeSlices } from '../../daemon/data/augment/resizeSlices.ts';
import { computed, computedArray, goldenFolder, norm, readGolden, size } from './values.ts';

/**
 * Augmentations with given parameters against PIL, OpenCV, SciPy and batchgenerators: views.json says how its images are computed,
 * what each step means and how near ours must come. Cases and steps that are not known here are passed over.
 */
const present = existsSync(join(goldenFolder, 'views.json'));

type Summary = { shape: number[]; mean: number; norm: number; at: number[]; values: number[] };
type Case2D = {
  name: string;
  height: number;
  width: number;
  box: [top: number, left: number, height: number, width: number];
  flip: boolean;
  jitter?: [name: string, amount: number][];
  grey: boolean;
  blurSigma?: number;
  after: Record<string, Summary>;
};
type Case3D = {
  name: string;
  shape: [number, number, number];
  resize: [number, number];
  blurSigma?: number[];
  contrast?: number[];
  gamma?: number[];
  after: Record<string, Summary>;
};

describe.skipIf(!present)('golden views', () => {
  const golden = present ? readGolden<{ cases2D?: Case2D[]; cases3D?: Case3D[] }>('views.json') : {};
  const known = new Set(['brightness', 'contrast', 'saturation', 'hue']);
  const cases2D = (golden.cases2D ?? []).filter((c) => c.box && c.jitter?.every(([name]) => known.has(name)));
  const cases3D = (golden.cases3D ?? []).filter((c) => c.shape && c.resize);

  it('has cases', () => {
    expect(cases2D.length + cases3D.length).toBeGreaterThan(0);
  });

  it.each(cases2D)('2D $name', (c) => {
    const image = smoothImage(c.name, c.height, c.width);
    const cropStep = Object.keys(c.after).find((step) => step.startsWith('crop'))!;
    const [height, width] = c.after[cropStep]!.shape as [number, number];
    expectNear2D('image', image, c.after.image);

    const [top, left, boxHeight, boxWidth] = c.box;
    const box = { top, left, height: boxHeight, width: boxWidth };
    const pixels = resizedCrop({ kind: '2D', height: c.height, width: c.width, data: image }, box, height, width);
    expectNear2D(cropStep, pixels, c.after[cropStep]);
    if (c.flip) flipHorizontally(pixels, height, width);
    expectNear2D('flip', pixels, c.after.flip);
    for (const step of c.jitter ?? []) {
      applyJitter(pixels, [step as JitterStep]);
      expectNear2D(step[0], pixels, c.after[step[0]]);
    }
    if (c.grey) toGrey(pixels);
    expectNear2D('grey', pixels, c.after.grey);
    if (c.blurSigma) blurImage(pixels, height, width, c.blurSigma, 23);
    expectNear2D('blur', pixels, c.after.blur);
  });

  it.each(cases3D)('3D $name', (c) => {
    const resized = [c.shape[0], ...c.resize] as const;
    const volume = computedArray(c.name, size(c.shape), (u) => 0.5 + 0.5 * u);
    const values = resizeSlices(volume, c.shape, ...c.resize);
    expectNear3D('resize', values, c.after.resize);
    if (c.blurSigma) blurSlices(values, resized, c.blurSigma);
    expectNear3D('blur', values, c.after.blur);
    if (c.contrast) stretchContrast(values, c.contrast);
    expectNear3D('contrast', values, c.after.contrast);
    if (c.gamma) applyGamma(values, c.gamma);
    expectNear3D('gamma', values, c.after.gamma);
  });
});

/** Tolerance in the file: 1.5 grey levels for 95 % of the values, 6 for all, 0.3 in the mean. */
function expectNear2D(step: string, pixels: Uint8Array, want: Summary | undefined): void {
  if (!want) return;
  expect(pixels.length, `${step}: size`).toBe(size(want.shape));
  const differences = want.at.map((index, i) => Math.abs(pixels[index]! - want.values[i]!));
  expect(Math.max(...differences), `${step}: largest difference`).toBeLessThanOrEqual(6);
  const near = differences.filter((difference) => difference <= 1.5).length / differences.length;
  expect(near, `${step}: share within 1.5`).toBeGreaterThanOrEqual(0.95);
  expect(Math.abs(meanOf(pixels) - want.mean), `${step}: mean`).toBeLessThanOrEqual(0.3);
}

/** Tolerance in the file: 1e-4. */
function expectNear3D(step: string, values: Float32Array, want: Summary | undefined): void {
  if (!want) return;
  expect(values.length, `${step}: size`).toBe(size(want.shape));
  const differences = want.at.map((index, i) => Math.abs(values[index]! - want.values[i]!));
  expect(Math.max(...differences), `${step}: largest difference`).toBeLessThanOrEqual(1e-4);
  expect(Math.abs(meanOf(values) - want.mean), `${step}: mean`).toBeLessThanOrEqual(1e-4);
  expect(Math.abs(norm(values) / want.norm - 1), `${step}: norm`).toBeLessThanOrEqual(1e-4);
}

function meanOf(values: Float32Array | Uint8Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** The file's `smooth`: a few cosines a channel, the whole scaled from its own range to 0–255. RGB [height, width, 3]. */
function smoothImage(name: string, height: number, width: number): Uint8Array {
  const waves = 4;
  const amplitude = computed(name);
  const cosine = (k: number, position: number, length: number) => Math.cos((Math.PI * k * (position + 0.5)) / length);
  const values = Float64Array.from({ length: height * width * 3 }, (_, i) => {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    let sum = 0;
    for (let a = 0; a < waves; a++)
      for (let b = 0; b < waves; b++)
        sum += amplitude((channel * waves + a) * waves + b) * cosine(a, y, height) * cosine(b, x, width);
    return sum;
  });
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return Uint8Array.from(values, (value) => Math.floor(((value - low) / (high - low)) * 255 + 0.5));
}
