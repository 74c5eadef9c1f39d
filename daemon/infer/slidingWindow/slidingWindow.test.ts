import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PreparedImage, Size3 } from '../../data/prepared/types.ts';
import { importanceOf } from './importance.ts';
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
/** Scores of a voxel (or of a cell of 2×2 voxels, by its first) depend on its value alone, so that windows agree: what is left to test is geometry. */
const pointwise = (window: Size3, classes: number, channels = 1, stride: 1 | 2 = 1): WindowNetwork => ({
  ...{ window, classes, stride },
  run: async (images) => {
    const [rows, columns] = [window[1] / stride, window[2] / stride];
    return Float32Array.from({ length: window[0] * rows * columns * classes }, (_, i) => {
      const cell = Math.floor(i / classes);
      const [z, y, x] = [Math.floor(cell / (rows * columns)), Math.floor(cell / columns) % rows, cell % columns];
      const value = images[((z * window[1] + y * stride) * window[2] + x * stride) * channels]!;
      return Math.sin(7 * value + 3 * (i % classes));
    });
  },
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

  it('start at multiples of the stride in the plane, and still cover everything', () => {
    expect(windowStarts(137, 128, 0.5, 2)).toEqual([0, 10]);
    expect(windowStarts(7, 32, 0.5, 2)).toEqual([-12]);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(0, 0.5),
        (n, w, o) => {
          const starts = windowStarts(n, 2 * w, o, 2);
          expect(starts.every((start) => start % 2 === 0)).toBe(true);
          expect(starts[0]).toBeLessThanOrEqual(0);
          expect(starts.at(-1)! + 2 * w).toBeGreaterThanOrEqual(n);
          for (const [i, start] of starts.slice(1).entries()) expect(start - starts[i]!).toBeLessThanOrEqual(2 * w);
        },
      ),
    );
  });

  it('count most in their middle and nowhere nothing', () => {
    const weights = importanceOf([4, 6, 8]);
    expect(Math.max(...weights)).toBeCloseTo(1, 5);
    expect(Math.min(...weights)).toBeGreaterThan(0);
    expect(weights).toEqual(weights.toReversed());
  });
});

/** Inputs between which each of `to` outputs lies among `from` of the same length, and the share of the second. */
function between(from: number, to: number): { low: number; high: number; share: number }[] {
  return Array.from({ length: to }, (_, o) => {
    const at = Math.min(Math.max(((o + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(from - 1, low + 1), share: at - low };
  });
}

/** Linear interpolation of [D, H, W, classes], all axes at once. */
function interpolated(values: Float64Array, from: Size3, to: Size3, classes: number): Float64Array {
  const grids = ([0, 1, 2] as const).map((axis) => between(from[axis], to[axis]));
  const out = new Float64Array(volume(to) * classes);
  for (let i = 0; i < out.length; i++) {
    const v = Math.floor(i / classes);
    const at = [Math.floor(v / (to[1] * to[2])), Math.floor(v / to[2]) % to[1], v % to[2]];
    for (let corner = 0; corner < 8; corner++) {
      let weight = 1;
      let place = 0;
      for (const axis of [0, 1, 2] as const) {
        const { low, high, share } = grids[axis]![at[axis]!]!;
        const up = (corner >> axis) & 1;
        weight *= up ? share : 1 - share;
        place = place * from[axis] + (up ? high : low);
      }
      out[i]! += weight * values[place * classes + (i % classes)]!;
    }
  }
  return out;
}

/** The same, the slow way: every score at every voxel of the image, and then of the output. */
async function naive(network: WindowNetwork, image: PreparedImage, { size, choice, overlap }: SegmentOptions) {
  const { window, classes, stride = 1 } = network;
  const scores: Size3 = [image.size[0], Math.ceil(image.size[1] / stride), Math.ceil(image.size[2] / stride)];
  const [sums, weights] = [new Float64Array(volume(scores) * classes), new Float64Array(volume(scores))];
  const own: Size3 = [window[0], window[1] / stride, window[2] / stride];
  const importance = importanceOf(own);
  for (const start of coverImage(image.size, window, overlap, stride)) {
    const placesIn = (of: Size3, first: Size3, within: Size3) =>
      Array.from({ length: volume(of) }, (_, i) => {
        const at = [Math.floor(i / (of[1] * of[2])), Math.floor(i / of[2]) % of[1], i % of[2]].map(
          (v, axis) => v + first[axis]!,
        );
        const inside = at.every((v, axis) => v >= 0 && v < within[axis]!);
        return inside ? (at[0]! * within[1] + at[1]!) * within[2] + at[2]! : -1;
      });
    const input = Float32Array.from(placesIn(window, start, image.size), (place) =>
      place < 0 ? 0 : image.image[place]!,
    );
    const found = await network.run(input);
    for (const [i, place] of placesIn(own, [start[0], start[1] / stride, start[2] / stride], scores).entries()) {
      if (place < 0) continue;
      weights[place]! += importance[i]!;
      for (let k = 0; k < classes; k++) sums[place * classes + k]! += importance[i]! * found[i * classes + k]!;
    }
  }
  const means = sums.map((sum, i) => sum / weights[Math.floor(i / classes)]!);
  const enlarged: Size3 = [scores[0], scores[1] * stride, scores[2] * stride];
  const fine = interpolated(means, scores, enlarged, classes);
  const [, height, width] = image.size;
  const cropped = Float64Array.from({ length: volume(image.size) * classes }, (_, i) => {
    const v = Math.floor(i / classes);
    const [z, y, x] = [Math.floor(v / (height * width)), Math.floor(v / width) % height, v % width];
    return fine[((z * enlarged[1] + y) * enlarged[2] + x) * classes + (i % classes)]!;
  });
  const all = interpolated(cropped, image.size, size, classes);
  return Array.from({ length: volume(size) }, (_, v) => {
    const mixed = [...all.subarray(v * classes, (v + 1) * classes)];
    return choice === 'exclusive' ? mixed.indexOf(Math.max(...mixed)) : mixed.map((score) => (score > 0 ? 1 : 0));
  });
}

describe('labels of an image', () => {
  it('are those of the slow way, at every size, window, overlap and stride', () =>
    fc.assert(
      fc.asyncProperty(
        sizes(7),
        sizes(4),
        sizes(15),
        fc.constantFrom(0, 0.25, 0.5),
        fc.constantFrom(1 as const, 2 as const),
        async (size, [slices, rows, columns], out, overlap, stride) => {
          const network = pointwise([slices, stride * rows, stride * columns], 3, 1, stride);
          const given = options(out, { overlap });
          const [labels] = await segmentImage([network], imageOf(size), given);
          const wanted = await naive(network, imageOf(size), given);
          // Rounding in float32 decides where two classes are equal: with these scores, nowhere.
          expect([...labels!]).toEqual(wanted);
        },
      ),
      { numRuns: 100 },
    ));

  it.each([1, 2] as const)('of overlapping classes are a map each (stride %i)', async (stride) => {
    const network = pointwise([2, 4, 4], 2, 1, stride);
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

  it('agree where scores are kept in 16 bits, however much larger those of later windows are', async () => {
    const [size, window, classes]: [Size3, Size3, number] = [[30, 34, 37], [8, 16, 16], 5];
    const image = imageOf(size);
    let grown = 0;
    const run = async (compactAbove: number) => {
      grown = 0;
      const scores: Float32Array[] = [];
      const onScores = async (_: number, slice: Float32Array) => void scores.push(slice.slice());
      const growing: WindowNetwork = {
        ...{ window, classes, stride: 2 },
        run: async (images) => {
          const factor = 1 + 0.2 * grown++;
          return (await pointwise(window, classes, 1, 2).run(images)).map((score) => score * factor);
        },
      };
      const [labels] = await segmentImage([growing], image, options(size, { compactAbove, onScores }));
      return { labels: labels!, scores };
    };
    const [exact, compact] = [await run(Number.POSITIVE_INFINITY), await run(0)];
    expect(grown).toBeGreaterThan(50);
    let differing = 0;
    for (const [v, label] of exact.labels.entries()) if (label !== compact.labels[v]) differing++;
    expect(differing / volume(size)).toBeLessThan(1e-4);
    const most = 1 + 0.2 * grown;
    for (const [z, slice] of exact.scores.entries())
      for (const [i, score] of slice.entries())
        if (Math.abs(score - compact.scores[z]![i]!) > (2 * most) / 10_000) expect.fail(`slice ${z}: ${score}`);
  });

  it('stop when they are no longer wanted', async () => {
    const cancel = new AbortController();
    const given = options([4, 4, 4], { signal: cancel.signal, onProgress: () => cancel.abort() });
    await expect(segmentImage([pointwise([2, 2, 2], 2)], imageOf([4, 4, 4]), given)).rejects.toThrow(/abort/i);
  });
});
