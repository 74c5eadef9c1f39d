import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import type { Image2D } from '../types.ts';
import { views2DOptions } from './options.ts';
import { applyView2D, drawView2D, makeViews2D, type Recipe2D } from './views2D.ts';

function imageOf(height: number, width: number, seed = 0): Image2D {
  const random = new Random('image', seed);
  return {
    kind: '2D',
    height,
    width,
    data: Uint8Array.from({ length: height * width * 3 }, () => random.int(256)),
  };
}

describe('makeViews2D', () => {
  const options = views2DOptions([32, 48]);

  it('gives two views of the asked size with values 0–1, whatever the size of the image', () => {
    const side = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 130 }));
    fc.assert(
      fc.property(side, side, fc.integer(), (height, width, seed) => {
        for (const view of makeViews2D(imageOf(height, width), options, [seed])) {
          expect(view.length).toBe(32 * 48 * 3);
          expect(view.every((v) => v >= 0 && v <= 1)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is decided by its key, not by what was made before, and leaves the image alone', () => {
    const images = [imageOf(60, 70, 1), imageOf(41, 33, 2), imageOf(90, 50, 3)];
    const copies = images.map((image) => image.data.join());
    const make = (i: number) => makeViews2D(images[i]!, options, [5, 2, i]);
    const forward = [0, 1, 2].map(make);
    const backward = [2, 1, 0].map(make).reverse();
    expect(backward).toEqual(forward);
    expect(images.map((image) => image.data.join())).toEqual(copies);
  });

  it('makes different views of one image, and others in the next epoch', () => {
    const image = imageOf(80, 80);
    const [a, b] = makeViews2D(image, options, [1, 0, 'x']);
    const [c] = makeViews2D(image, options, [1, 1, 'x']);
    expect(a).not.toEqual(b);
    expect(a).not.toEqual(c);
  });

  it('leaves the pixels of the crop where everything is off', () => {
    const image = imageOf(32, 48);
    const recipe: Recipe2D = {
      box: { top: 0, left: 0, height: 32, width: 48 },
      flip: false,
      jitter: [],
      grey: false,
      blurSigma: 0,
    };
    const view = applyView2D(image, recipe, options, options.views[0]);
    expect(view).toEqual(Float32Array.from(image.data, (v) => v / 255));
    const grey = applyView2D(image, { ...recipe, grey: true }, options, options.views[0]);
    for (let i = 0; i < grey.length; i += 3) expect(grey[i] === grey[i + 1] && grey[i] === grey[i + 2]).toBe(true);
  });
});

describe('drawView2D', () => {
  it.each([0, 1] as const)('draws each change with its probability (view %d)', (view) => {
    const options = views2DOptions();
    const n = 6000;
    const recipes = Array.from({ length: n }, (_, i) =>
      drawView2D(new Random('stat', i, view), { height: 512, width: 512 }, options, options.views[view]),
    );
    const share = (test: (r: Recipe2D) => boolean) => recipes.filter(test).length / n;
    const near = (p: number) => 4 * Math.sqrt((p * (1 - p)) / n);
    const expected: [number, (r: Recipe2D) => boolean][] = [
      [0.5, (r) => r.flip],
      [0.8, (r) => r.jitter.length === 4],
      [[0.8, 0.4][view]!, (r) => r.grey],
      [[0.5, 1][view]!, (r) => r.blurSigma > 0],
      // Independent of each other.
      [0.5 * [0.8, 0.4][view]!, (r) => r.flip && r.grey],
    ];
    for (const [p, test] of expected) expect(Math.abs(share(test) - p)).toBeLessThanOrEqual(near(p));
    const sigmas = recipes.map((r) => r.blurSigma).filter((s) => s > 0);
    expect(Math.min(...sigmas)).toBeGreaterThanOrEqual(0.1);
    expect(Math.max(...sigmas)).toBeLessThanOrEqual(2);
    expect(sigmas.reduce((a, b) => a + b, 0) / sigmas.length).toBeCloseTo(1.05, 1);
  });
});
