import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PreparedImage, Size3 } from '../../data/prepared/types.ts';
import { importanceOf } from './importance.ts';
import { between } from './labelSlices.ts';
import { type SegmentOptions, segmentImage, type WindowNetwork } from './segmentImage.ts';
import { coverImage, windowStarts } from './windows.ts';

const volume = ([a, b, c]: Size3) => a * b * c;
const sizes = (most: number) =>
  fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 1, max: most }))) as fc.Arbitrary<[number, number, number]>;
/** Repeatable values in [−1, 1). */
const noise = (i: number) => {
  const h = Math.imul(i ^ 0x9e3779b9, 0x85ebca6b);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 31 - 1;
};
const imageOf = (size: Size3, channels = 1): PreparedImage => ({
  ...{ size, channels, image: Float32Array.from({ length: channels * volume(size) }, (_, i) => noise(i)) },
});
/** Scores of a voxel depend on its value alone, so that windows agree: what is left to test is geometry. */
const pointwise = (window: Size3, classes: number, channels = 1): WindowNetwork => ({
  ...{ window, classes },
  run: async (images) =>
    Float32Array.from({ length: volume(window) * classes }, (_, i) => {
      const value = images[Math.floor(i / classes) * channels]!;
      return Math.sin(7 * value + 3 * (i % classes));
    }),
});
const options = (size: Size3, more: Partial<SegmentOptions> = {}): SegmentOptions => ({
  ...{ choice: 'exclusive', overlap: 0.5, mirror: [], size },
  ...more,
});

describe('windows', () => {
  it('overlap as asked, spread evenly, and end at the border', () => {
    expect(windowStarts(10, 4, 0.5)).toEqual([0, 2, 4, 6]);
    expect(windowStarts(11, 4, 0.5)).toEqual([0, 2, 4, 5, 7]);
    expect(windowStarts(4, 4, 0.5)).toEqual([0]);
    expect(windowStarts(3, 6, 0.5)).toEqual([-1]);
  });

  it('cover every voxel, in the order of their slices', () => {
    fc.assert(
      fc.property(sizes(9), sizes(5), fc.double({ min: 0, max: 0.9, noNaN: true }), (size, window, overlap) => {
        const seen = new Set<number>();
        const starts = coverImage(size, window, overlap);
        for (const [z, y, x] of starts)
          for (let i = 0; i < volume(window); i++) {
            const at = [
              z + Math.floor(i / (window[1] * window[2])),
              y + (Math.floor(i / window[2]) % window[1]),
              x + (i % window[2]),
            ];
            if (at.every((v, axis) => v >= 0 && v < size[axis]!))
              seen.add((at[0]! * size[1] + at[1]!) * size[2] + at[2]!);
          }
        expect(seen.size).toBe(volume(size));
        expect(starts.map(([z]) => z)).toEqual(starts.map(([z]) => z).toSorted((a, b) => a - b));
      }),
    );
  });

  it('count most in their middle and nowhere nothing', () => {
    const weights = importanceOf([4, 6, 8]);
    expect(Math.max(...weights)).toBeCloseTo(1, 5);
    expect(Math.min(...weights)).toBeGreaterThan(0);
    expect(weights).toEqual(weights.toReversed());
  });
});

/** The same, the slow way: every score at every voxel of the output. */
async function naive(network: WindowNetwork, image: PreparedImage, { size, choice, overlap }: SegmentOptions) {
  const { window, classes } = network;
  const [sums, weights] = [new Float64Array(volume(image.size) * classes), new Float64Array(volume(image.size))];
  const importance = importanceOf(window);
  for (const start of coverImage(image.size, window, overlap)) {
    const input = new Float32Array(volume(window));
    const places = Array.from(input, (_, i) => {
      const at = [Math.floor(i / (window[1] * window[2])), Math.floor(i / window[2]) % window[1], i % window[2]].map(
        (v, axis) => v + start[axis]!,
      );
      const inside = at.every((v, axis) => v >= 0 && v < image.size[axis]!);
      return inside ? (at[0]! * image.size[1] + at[1]!) * image.size[2] + at[2]! : -1;
    });
    for (const [i, place] of places.entries()) if (place >= 0) input[i] = image.image[place]!;
    const scores = await network.run(input);
    for (const [i, place] of places.entries()) {
      if (place < 0) continue;
      weights[place]! += importance[i]!;
      for (let k = 0; k < classes; k++) sums[place * classes + k]! += importance[i]! * scores[i * classes + k]!;
    }
  }
  const grids = [0, 1, 2].map((axis) => between(image.size[axis]!, size[axis]!));
  return Array.from({ length: volume(size) }, (_, v) => {
    const at = [Math.floor(v / (size[1] * size[2])), Math.floor(v / size[2]) % size[1], v % size[2]];
    const mixed = Array.from({ length: classes }, (_, k) => {
      let sum = 0;
      for (let corner = 0; corner < 8; corner++) {
        let weight = 1;
        let place = 0;
        for (const axis of [0, 1, 2]) {
          const { low, high, share } = grids[axis]!;
          const up = (corner >> axis) & 1;
          weight *= up ? share[at[axis]!]! : 1 - share[at[axis]!]!;
          place = place * image.size[axis]! + (up ? high : low)[at[axis]!]!;
        }
        sum += (weight * sums[place * classes + k]!) / weights[place]!;
      }
      return sum;
    });
    return choice === 'exclusive' ? mixed.indexOf(Math.max(...mixed)) : mixed.map((score) => (score > 0 ? 1 : 0));
  });
}

describe('labels of an image', () => {
  it('are those of the slow way, at every size, window and overlap', () =>
    fc.assert(
      fc.asyncProperty(
        sizes(7),
        sizes(4),
        sizes(9),
        fc.constantFrom(0, 0.25, 0.5),
        async (size, window, out, overlap) => {
          const network = pointwise(window, 3);
          const given = options(out, { overlap });
          const [labels] = await segmentImage([network], imageOf(size), given);
          const wanted = await naive(network, imageOf(size), given);
          // Rounding in float32 decides where two classes are equal: with these scores, nowhere.
          expect([...labels!]).toEqual(wanted);
        },
      ),
      { numRuns: 60 },
    ));

  it('of overlapping classes are a map each', async () => {
    const network = pointwise([2, 3, 3], 2);
    const given = options([4, 8, 9], { choice: 'overlapping' });
    const maps = await segmentImage([network], imageOf([3, 5, 6]), given);
    const wanted = (await naive(network, imageOf([3, 5, 6]), given)) as number[][];
    for (const k of [0, 1]) expect([...maps[k]!]).toEqual(wanted.map((each) => each[k]));
  });

  it('are the same with mirroring and with an ensemble of equals, where the network does not look around', async () => {
    const network = pointwise([2, 4, 4], 3, 2);
    const image = imageOf([3, 6, 7], 2);
    const [plain] = await segmentImage([network], image, options([3, 6, 7]));
    const [mirrored] = await segmentImage([network, network], image, options([3, 6, 7], { mirror: [0, 1, 2] }));
    expect(mirrored).toEqual(plain);
  });

  it('with mirroring are those of a network and its mirror image', async () => {
    // Sees the voxel to the left: mirrored, the one to the right. Their mean is symmetric.
    const window: Size3 = [1, 1, 4];
    const network: WindowNetwork = {
      ...{ window, classes: 2 },
      run: async (images) =>
        Float32Array.from(images, (_, i) => images[i - 1] ?? 0).reduce<Float32Array>((out, left, i) => {
          out[2 * i] = left;
          return out;
        }, new Float32Array(8)),
    };
    const image: PreparedImage = { size: [1, 1, 4], channels: 1, image: Float32Array.of(-3, 1, -1, 1) };
    const [labels] = await segmentImage([network], image, options([1, 1, 4], { mirror: [2] }));
    // Sums of both neighbours: 1, −4, 2, −1; class 0 where they are above 0.
    expect([...labels!]).toEqual([0, 1, 0, 1]);
  });

  it('stop when they are no longer wanted', async () => {
    const cancel = new AbortController();
    const given = options([4, 4, 4], { signal: cancel.signal, onProgress: () => cancel.abort() });
    await expect(segmentImage([pointwise([2, 2, 2], 2)], imageOf([4, 4, 4]), given)).rejects.toThrow(/abort/i);
  });
});
