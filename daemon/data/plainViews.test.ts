import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainView2D, plainViews3D } from './plainViews.ts';

test('an image of one colour stays that colour, 0–1', () => {
  const view = plainView2D({ kind: '2D', width: 40, height: 30, data: new Uint8Array(40 * 30 * 3).fill(51) }, [16, 16]);
  expect(view).toEqual(new Float32Array(16 * 16 * 3).fill(0.2));
});

test('the middle of an oblong image is what is seen', () => {
  const data = new Uint8Array(60 * 20 * 3);
  for (let y = 0; y < 20; y++) data.fill(255, (y * 60 + 20) * 3, (y * 60 + 40) * 3);
  const view = plainView2D({ kind: '2D', width: 60, height: 20, data }, [20, 20]);
  expect(view.every((v) => v === 1)).toBe(true);
});

test('a volume with as many slices as a view gives that one, in HU / 1024', () => {
  const data = Int16Array.from({ length: 4 * 8 * 8 }, (_, i) => Math.floor(i / 64) * 1024);
  const [view, ...others] = plainViews3D({ kind: '3D', shape: [4, 8, 8], data, spacing: [3, 1, 1] }, [4, 8, 8]);
  expect(others).toEqual([]);
  expect(Array.from({ length: 4 }, (_, d) => view![d * 64])).toEqual([0, 1, 2, 3]);
});

test('windows cover a long volume from its first slice to its last', () => {
  const data = Int16Array.from({ length: 10 * 4 * 4 }, (_, i) => Math.floor(i / 16) * 1024);
  const views = plainViews3D({ kind: '3D', shape: [10, 4, 4], data, spacing: [3, 1, 1] }, [4, 4, 4]);
  expect(views.map((v) => [v[0], v[3 * 16]])).toEqual([
    [0, 3],
    [3, 6],
    [6, 9],
  ]);
});

test('a volume that is wide beside a view is seen in four tiles, at the scale of the views of training', () => {
  const data = Int16Array.from({ length: 4 * 16 * 16 }, (_, i) => {
    const [x, y] = [Math.floor(i / 16) % 16, i % 16];
    return 1024 * (2 * Math.floor(x / 8) + Math.floor(y / 8));
  });
  const views = plainViews3D({ kind: '3D', shape: [4, 16, 16], data, spacing: [3, 1, 1] }, [4, 8, 8]);
  expect(views.map((v) => [Math.min(...v), Math.max(...v)])).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});

test('any volume gives finite views of the right size', () => {
  const side = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(side, side, side, (d, x, y) => {
      const views = plainViews3D(
        { kind: '3D', shape: [d, x, y], data: new Int16Array(d * x * y).fill(-512), spacing: [3, 1, 1] },
        [4, 6, 8],
      );
      expect(views.length).toBeGreaterThan(0);
      for (const v of views) {
        expect(v.length).toBe(4 * 6 * 8);
        expect(v.every((value) => value === 0 || value === -0.5)).toBe(true);
      }
    }),
  );
});
