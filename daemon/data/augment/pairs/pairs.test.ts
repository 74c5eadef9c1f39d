import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AugmentProbabilities } from '../../../../protocol/config/finetune/index.ts';
import type { PreparedImage, Size3 } from '../../prepared/types.ts';
import { Random } from '../../random.ts';
import { makePatch } from './applyRecipe.ts';
import { drawPairRecipe, type PairRecipe } from './recipe.ts';
import { cutPatch, type Matrix3, warpPatch } from './samplePatch.ts';

const all = (probability: number): AugmentProbabilities => ({
  ...{ rotation: probability, scaling: probability, noise: probability, blur: probability, brightness: probability },
  ...{ contrast: probability, lowResolution: probability, gamma: probability, invertedGamma: probability },
  mirror: probability,
});
const none: PairRecipe = {
  ...{ matrix: null, noise: null, blur: null, brightness: null, contrast: null, lowResolution: null },
  ...{ invertedGamma: null, gamma: null, mirror: [false, false, false] },
};

/** Two channels of noise; labels of a few classes in boxes, some voxels ignored. */
function imageOf(size: Size3, overlapping: boolean, seed = 1): PreparedImage {
  const random = new Random(seed);
  const count = size[0] * size[1] * size[2];
  const maps = overlapping ? 3 : 1;
  const known = overlapping ? [0, 1, 255] : [0, 3, 7, 255];
  const data = Uint8Array.from({ length: maps * count }, (_, i) => known[Math.floor(i / 5) % known.length]!);
  return {
    ...{ size, channels: 2, image: Float32Array.from({ length: 2 * count }, () => random.normal()) },
    labels: { overlapping, maps, data },
  };
}
const sizes = fc.constantFrom<Size3>([6, 9, 8], [1, 12, 10], [12, 12, 12]);
const make = (from: PreparedImage, patch: Size3, recipe: PairRecipe, start = [0, 0, 0], key = ['k']) =>
  makePatch(from, { start, patch, recipe }, key);

describe('a patch with all changes off', () => {
  it('is what lies there; outside it is 0 and background', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.boolean(),
        fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: -4, max: 4 }))),
        (size, over, start) => {
          const from = imageOf(size, over);
          const patch: Size3 = [size[0], 6, 6];
          const recipe = drawPairRecipe(all(0), { patch, channels: 2 }, ['x']);
          expect(recipe).toEqual(none);
          const made = make(from, patch, recipe, start);
          const value = (data: ArrayLike<number>, m: number, z: number, y: number, x: number) => {
            const [sz, sy, sx] = [z + start[0]!, y + start[1]!, x + start[2]!];
            const inside = sz >= 0 && sy >= 0 && sx >= 0 && sz < size[0] && sy < size[1] && sx < size[2];
            return inside ? data[((m * size[0] + sz) * size[1] + sy) * size[2] + sx]! : 0;
          };
          let i = 0;
          for (let m = 0; m < 2; m++)
            for (let z = 0; z < patch[0]; z++)
              for (let y = 0; y < 6; y++)
                for (let x = 0; x < 6; x++, i++) expect(made.image[i]).toBe(value(from.image, m, z, y, x));
          i = 0;
          for (let m = 0; m < made.labels!.maps; m++)
            for (let z = 0; z < patch[0]; z++)
              for (let y = 0; y < 6; y++)
                for (let x = 0; x < 6; x++, i++)
                  expect(made.labels!.data[i]).toBe(value(from.labels!.data, m, z, y, x));
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a patch with all changes on', () => {
  it('has no label that was not there, keeps its size, is finite, and leaves the image alone', () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), fc.integer(), (size, overlapping, seed) => {
        const from = imageOf(size, overlapping);
        const before = structuredClone(from);
        const recipe = drawPairRecipe(all(1), { patch: size, channels: 2 }, [seed]);
        const made = make(from, size, recipe, [0, 0, 0], [String(seed)]);
        const known = new Set([...from.labels!.data, 0]);
        for (const label of made.labels!.data) expect(known.has(label)).toBe(true);
        expect(made.image.every(Number.isFinite)).toBe(true);
        expect([made.image.length, made.labels!.data.length]).toEqual([from.image.length, from.labels!.data.length]);
        expect(from).toEqual(before);
      }),
      { numRuns: 30 },
    );
  });

  it('is the same bytes for the same key, and others for another', () => {
    const size: Size3 = [8, 16, 16];
    const from = imageOf(size, false);
    const bytes = (key: string) =>
      Buffer.from(
        make(from, size, drawPairRecipe(all(1), { patch: size, channels: 2 }, [key]), [0, 0, 0], [key]).image.buffer,
      );
    expect(bytes('a').equals(bytes('a'))).toBe(true);
    expect(bytes('a').equals(bytes('b'))).toBe(false);
  });

  it('draws each change from a stream of its own', () => {
    const draw = (probabilities: AugmentProbabilities) =>
      drawPairRecipe(probabilities, { patch: [4, 8, 8], channels: 1 }, ['s']);
    const { matrix: _, ...rest } = draw(all(1));
    const { matrix, ...without } = draw({ ...all(1), rotation: 0, scaling: 0 });
    expect(matrix).toBeNull();
    expect(without).toEqual(rest);
  });
});

describe('each change', () => {
  const size: Size3 = [8, 8, 8];
  const ramp: PreparedImage = {
    ...{ size, channels: 1, image: Float32Array.from({ length: 512 }, (_, i) => i % 8) },
    labels: { overlapping: false, maps: 1, data: Uint8Array.from({ length: 512 }, (_, i) => (i % 8 < 4 ? 1 : 2)) },
  };

  it('a quarter turn moves image and labels alike, exactly', () => {
    const turned = warpPatch(ramp, [0, 0, 0], size, [1, 0, 0, 0, 0, -1, 0, 1, 0]);
    for (let i = 0; i < 512; i++) {
      const y = (i >> 3) & 7;
      expect(turned.image[i]).toBeCloseTo(y, 5);
      expect(turned.labels!.data[i]).toBe(y < 4 ? 1 : 2);
    }
  });

  it('halving the scale about the centre doubles what is seen', () => {
    const zoomed = warpPatch(ramp, [0, 0, 0], size, [0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5]);
    for (let i = 0; i < 512; i++) expect(zoomed.image[i]).toBeCloseTo(3.5 + ((i % 8) - 3.5) / 2, 5);
  });

  it('the identity as a matrix is the cut', () => {
    const identity: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    const from = imageOf(size, true);
    expect(warpPatch(from, [2, -3, 1], size, identity)).toEqual(cutPatch(from, [2, -3, 1], size));
  });

  it('mirroring twice is nothing, mirroring once reverses', () => {
    const recipe = { ...none, mirror: [true, true, true] } as const;
    const from = imageOf(size, false);
    const once = make(from, size, recipe);
    expect(once.image[0]).toBe(from.image[511]);
    expect(once.labels!.data[511]).toBe(from.labels!.data[0]);
    expect(make(once, size, recipe)).toEqual(from);
  });

  it('blur keeps a constant, the mean and the labels; low resolution keeps a constant', () => {
    const flat = { ...ramp, image: new Float32Array(512).fill(3) };
    for (const recipe of [
      { ...none, blur: [1] },
      { ...none, lowResolution: [0.5] },
    ])
      for (const value of make(flat, size, recipe).image) expect(value).toBeCloseTo(3, 5);
    const from = imageOf(size, false);
    const blurred = make(from, size, { ...none, blur: [0.8, 0.8] });
    const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(blurred.image)).toBeCloseTo(mean(from.image), 5);
    expect(blurred.labels).toEqual(from.labels);
  });

  it('low resolution of a half joins voxels in pairs along each axis', () => {
    const impulse = { ...ramp, image: new Float32Array(512) };
    impulse.image[0] = 8; // not on the coarse grid, whose nearest voxels are the odd ones
    expect(make(impulse, size, { ...none, lowResolution: [0.5] }).image.every((value) => value === 0)).toBe(true);
  });

  it('blur and low resolution change only the channels that they name; pictures stay flat', () => {
    const from = imageOf([1, 8, 8], false);
    const made = make(from, [1, 8, 8], { ...none, blur: [null, 1], lowResolution: [null, 0.5] });
    expect(made.image.subarray(0, 64)).toEqual(from.image.subarray(0, 64));
    expect(made.image.subarray(64)).not.toEqual(from.image.subarray(64));
  });

  it('inverted gamma mirrors gamma about 0', () => {
    const negative = { ...ramp, image: ramp.image.map((value) => -value) };
    const gamma = make(ramp, size, { ...none, gamma: [1.4] }).image;
    const inverted = make(negative, size, { ...none, invertedGamma: [1.4] }).image;
    for (const [i, value] of inverted.entries()) expect(value).toBeCloseTo(-gamma[i]!, 5);
  });

  it('flat patches are turned in plane, by any angle; others by at most 30° an axis', () => {
    const matrices = (patch: Size3) =>
      Array.from(
        { length: 40 },
        (_, i) => drawPairRecipe({ ...all(0), rotation: 1 }, { patch, channels: 1 }, [i]).matrix!,
      );
    for (const m of matrices([4, 16, 16])) expect([m[0], m[1], m[2], m[3], m[6]]).toEqual([1, 0, 0, 0, 0]);
    expect(Math.min(...matrices([1, 16, 16]).map((m) => m[4]))).toBeLessThan(-0.5);
    for (const m of matrices([16, 16, 16])) expect(m[0]).toBeGreaterThanOrEqual(Math.cos(Math.PI / 6) ** 2 - 1e-9);
  });
});
