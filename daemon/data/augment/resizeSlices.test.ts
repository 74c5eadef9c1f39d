import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resizeSlices } from './resizeSlices.ts';

const side = fc.integer({ min: 1, max: 12 });

describe('resizeSlices', () => {
  it('takes half-pixel centres, clamps at the edge and does not antialias', () => {
    const doubled = resizeSlices(Float32Array.of(0, 4), [1, 1, 2], 1, 4);
    expect([...doubled]).toEqual([0, 1, 3, 4]);
    // A quarter: centres 1.5 and 5.5, between two of eight inputs; the others have no effect.
    const shrunk = resizeSlices(Float32Array.of(9, 1, 3, 9, 9, 5, 6, 9), [1, 8, 1], 2, 1);
    expect([...shrunk]).toEqual([2, 5.5]);
  });

  it('copies a volume of the same size', () => {
    const values = Float32Array.from({ length: 2 * 3 * 5 }, (_, i) => Math.sin(i));
    expect(resizeSlices(values, [2, 3, 5], 3, 5)).toEqual(values);
  });

  it('keeps a plane a plane away from the edges, slice by slice', () => {
    fc.assert(
      fc.property(side, side, side, side, (height, width, outHeight, outWidth) => {
        const plane = (d: number, y: number, x: number) => d * 100 + 3 * y - 2 * x;
        const values = Float32Array.from({ length: 2 * height * width }, (_, i) =>
          plane(Math.floor(i / width / height), Math.floor(i / width) % height, i % width),
        );
        const out = resizeSlices(values, [2, height, width], outHeight, outWidth);
        const place = (i: number, from: number, to: number) =>
          Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
        out.forEach((value, i) => {
          const x = place(i % outWidth, width, outWidth);
          const y = place(Math.floor(i / outWidth) % outHeight, height, outHeight);
          expect(value).toBeCloseTo(plane(Math.floor(i / outWidth / outHeight), y, x), 3);
        });
      }),
    );
  });
});
