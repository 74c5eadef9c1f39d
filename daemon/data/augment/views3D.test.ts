import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import type { Volume } from '../types.ts';
import { drawParentCrop, paddedCuboid } from './crop3D.ts';
import { views3DOptions } from './options.ts';
import { applyView3D, drawAroundOne, drawView3D, makeViews3D, type Recipe3D } from './views3D.ts';

function volumeOf(shape: [number, number, number], seed = 0): Volume {
  const random = new Random('volume', seed);
  const data = Int16Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.int(2500) - 1024);
  return { kind: '3D', shape, data, spacing: [3, 1, 1] };
}

describe('makeViews3D', () => {
  const options = views3DOptions([16, 32, 48]);
  /** Vitest compares typed arrays element by element, slowly. */
  const asText = (views: Float32Array[]) => views.map((view) => view.join());

  it('gives two finite views of the asked size, whatever the shape of the volume', () => {
    const shape = fc.tuple(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 150 }),
      fc.integer({ min: 1, max: 150 }),
    );
    fc.assert(
      fc.property(shape, fc.integer(), fc.constantFrom('slice', 'volume'), (shape, seed, draw) => {
        for (const view of makeViews3D(volumeOf(shape), { ...options, draw }, [seed])) {
          expect(view.length).toBe(16 * 32 * 48);
          expect(view.every(Number.isFinite)).toBe(true);
        }
      }),
      {
        numRuns: 40,
        examples: [
          [[1, 1, 1], 0, 'slice'],
          [[1, 200, 200], 1, 'volume'],
        ],
      },
    );
  });

  it('is decided by its key, not by what was made before, and leaves the volume alone', () => {
    const volumes = [volumeOf([24, 50, 60], 1), volumeOf([1, 30, 90], 2), volumeOf([30, 64, 64], 3)];
    const copies = volumes.map((volume) => volume.data.join());
    const make = (i: number) => asText(makeViews3D(volumes[i]!, options, [5, 2, i]));
    const forward = [0, 1, 2].map(make);
    const backward = [2, 1, 0].map(make).reverse();
    expect(backward).toEqual(forward);
    expect(volumes.map((volume) => volume.data.join())).toEqual(copies);
  });

  it('makes different views of one volume, and others in the next epoch', () => {
    const volume = volumeOf([24, 100, 100]);
    const [a, b] = makeViews3D(volume, options, [1, 0, 'x']);
    const [c] = makeViews3D(volume, options, [1, 1, 'x']);
    expect(a).not.toEqual(b);
    expect(a).not.toEqual(c);
  });

  it('takes both views from one parent crop', () => {
    // The values encode the place of a voxel. Four voxels beyond a parent crop suffice to see that a view never leaves it.
    const shape = [16, 300, 300] as [number, number, number];
    const place = Float32Array.from({ length: 16 * 300 * 300 }, (_, i) => Math.floor(i / 300) % 300);
    const volume: Volume = { kind: '3D', shape, data: place, spacing: [3, 1, 1] };
    const plain = views3DOptions();
    const off = {
      ...plain.views[0],
      noise: { ...plain.views[0].noise, probability: 0 },
      blur: { ...plain.views[0].blur, volume: 0 },
      multiply: { ...plain.views[0].multiply, volume: 0 },
      add: { ...plain.views[0].add, volume: 0 },
      contrast: { ...plain.views[0].contrast, volume: 0 },
      gamma: { ...plain.views[0].gamma, volume: 0 },
    };
    for (let i = 0; i < 12; i++) {
      const key = ['parents', i];
      const parent = drawParentCrop(new Random(...key, 'parent'), paddedCuboid(shape, plain.padTo), plain);
      for (const view of makeViews3D(volume, { ...plain, views: [off, off] }, key)) {
        const rows = view.map((v) => v * 1024);
        expect(rows.reduce((a, b) => Math.min(a, b))).toBeGreaterThanOrEqual(parent.start[1]);
        expect(rows.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(parent.start[1] + parent.size[1] - 1);
      }
    }
  });
});

describe('applyView3D', () => {
  const size = [2, 3, 4] as const;
  const volume = volumeOf([2, 3, 4]);
  const plain: Recipe3D = {
    crop: { start: [0, 0, 0], size },
    flip: [false, false, false],
    noiseDeviation: 0,
    blurSigma: null,
    multiply: null,
    add: null,
    contrast: null,
    gamma: null,
  };
  const apply = (recipe: Partial<Recipe3D>) => applyView3D(volume, { ...plain, ...recipe }, { size }, new Random(1));

  it('leaves HU / 1024 where everything is off', () => {
    expect(apply({})).toEqual(Float32Array.from(volume.data, (v) => v / 1024));
  });

  it('carries out each change that the recipe names', () => {
    const changes: Partial<Recipe3D>[] = [
      { flip: [true, false, false] },
      { noiseDeviation: 0.1 },
      { blurSigma: [1, 0] },
      { multiply: [1.2, 1] },
      { add: [0, 0.3] },
      { contrast: [0.8, 1.2] },
      { gamma: [0.8, 1.2] },
    ];
    const results = changes.map((change) => apply(change).join());
    expect(new Set([apply({}).join(), ...results]).size).toBe(changes.length + 1);
  });

  it('treats one amount as that of all slices where no statistics come in', () => {
    expect(apply({ blurSigma: [0.7] })).toEqual(apply({ blurSigma: [0.7, 0.7] }));
    expect(apply({ multiply: [0.7], add: [0.2] })).toEqual(apply({ multiply: [0.7, 0.7], add: [0.2, 0.2] }));
  });
});

describe('drawView3D', () => {
  const n = 3000;
  const draw = (view: 0 | 1, mode: 'slice' | 'volume') => {
    const options = views3DOptions([16, 96, 96], mode);
    const parent = { start: [0, 0, 0], size: [24, 150, 150] } as const;
    return Array.from({ length: n }, (_, i) =>
      drawView3D(new Random('stat', i, view), parent, options, options.views[view]),
    );
  };
  const expectShare = (got: number, p: number, count: number) =>
    expect(Math.abs(got - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / count));

  it.each([0, 1] as const)('draws each change with its probability (view %d)', (view) => {
    const recipes = draw(view, 'slice');
    const share = (test: (r: Recipe3D) => boolean) => recipes.filter(test).length / n;
    const expected: [number, (r: Recipe3D) => boolean][] = [
      [0.8, (r) => r.flip[0]],
      [0.8, (r) => r.flip[1]],
      [0.8, (r) => r.flip[2]],
      [0.64, (r) => r.flip[0] && r.flip[1]],
      [1, (r) => r.noiseDeviation > 0],
      [0.8, (r) => r.blurSigma !== null],
      [[0.8, 1][view]!, (r) => r.multiply !== null],
      [[0.8, 0.5][view]!, (r) => r.add !== null],
      [1, (r) => r.contrast !== null],
      [[0.8, 1][view]!, (r) => r.gamma !== null],
    ];
    for (const [p, test] of expected) expectShare(share(test), p, n);
    const slices = (of: (r: Recipe3D) => number[] | null) => recipes.flatMap((r) => of(r) ?? []);
    const blurs = slices((r) => r.blurSigma);
    expectShare(blurs.filter((s) => s > 0).length / blurs.length, [0.8, 0.5][view]!, blurs.length);
    const offsets = slices((r) => r.add);
    expectShare(offsets.filter((s) => s !== 0).length / offsets.length, 0.8, offsets.length);
    for (const amounts of [slices((r) => r.contrast), slices((r) => r.gamma)])
      expectShare(amounts.filter((a) => a < 1).length / amounts.length, 0.5, amounts.length);
  });

  it('draws amounts from their ranges, one for each slice', () => {
    const recipes = draw(0, 'slice');
    const all = (of: (r: Recipe3D) => number[] | null) => recipes.flatMap((r) => of(r) ?? []);
    const ranges: [number[], number, number][] = [
      [recipes.map((r) => r.noiseDeviation), 0, 0.1],
      [all((r) => r.blurSigma).filter((s) => s > 0), 0.1, 2],
      [all((r) => r.multiply), 0.75, 1.25],
      [all((r) => r.contrast), 0.75, 1.25],
      [all((r) => r.gamma), 0.7, 1.5],
    ];
    for (const [amounts, low, high] of ranges) {
      const extremes = [amounts.reduce((a, b) => Math.min(a, b)), amounts.reduce((a, b) => Math.max(a, b))];
      expect(extremes[0]).toBeGreaterThanOrEqual(low);
      expect(extremes[0]).toBeLessThan(low + 0.01 * (high - low));
      expect(extremes[1]).toBeLessThanOrEqual(high);
      expect(extremes[1]).toBeGreaterThan(high - 0.01 * (high - low));
    }
    const offsets = all((r) => r.add).filter((a) => a !== 0);
    const deviation = Math.sqrt(offsets.reduce((sum, a) => sum + a * a, 0) / offsets.length);
    expect(Math.abs(deviation - 0.4)).toBeLessThan((4 * 0.4) / Math.sqrt(2 * offsets.length));
    const blurred = recipes.find((r) => r.blurSigma)!.blurSigma!;
    expect(blurred.length).toBe(16);
    expect(new Set(blurred.filter((s) => s > 0)).size).toBe(blurred.filter((s) => s > 0).length);
  });

  it('draws one amount for the whole volume where that is asked for', () => {
    const recipes = draw(1, 'volume');
    for (const r of recipes)
      for (const amounts of [r.blurSigma, r.multiply, r.add, r.contrast, r.gamma]) expect(amounts?.length ?? 1).toBe(1);
    expectShare(recipes.filter((r) => (r.blurSigma?.[0] ?? 0) > 0).length / n, 0.8 * 0.5, n);
    expectShare(recipes.filter((r) => (r.add?.[0] ?? 0) !== 0).length / n, 0.5 * 0.8, n);
  });

  it('draws from below and from above 1 with equal chance, if the range has both', () => {
    const random = new Random('around');
    const drawn = Array.from({ length: 4000 }, () => drawAroundOne(random, [0.7, 1.5]));
    expectShare(drawn.filter((v) => v < 1).length / 4000, 0.5, 4000);
    for (let i = 0; i < 50; i++) {
      expect(drawAroundOne(random, [1.2, 1.5])).toBeGreaterThanOrEqual(1.2);
      expect(drawAroundOne(random, [0.5, 0.9])).toBeLessThan(0.9);
    }
  });
});
