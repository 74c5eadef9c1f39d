import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import type { Volume } from '../types.ts';
import { type Cuboid, cutOut, drawParentCrop, drawViewCrop, paddedCuboid } from './crop3D.ts';
import { views3DOptions } from './options.ts';

const options = views3DOptions();
const shapes = fc.tuple(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 400 }),
  fc.integer({ min: 1, max: 400 }),
);

function expectWithin(inner: Cuboid, outer: Cuboid): void {
  for (const axis of [0, 1, 2] as const) {
    expect(Number.isInteger(inner.start[axis]) && Number.isInteger(inner.size[axis])).toBe(true);
    expect(inner.start[axis]).toBeGreaterThanOrEqual(outer.start[axis]);
    expect(inner.start[axis] + inner.size[axis]).toBeLessThanOrEqual(outer.start[axis] + outer.size[axis]);
  }
}

describe('paddedCuboid', () => {
  it('pads in plane behind and slices on both sides, and only what is too small', () => {
    expect(paddedCuboid([24, 300, 100], options.padTo)).toEqual({ start: [0, 0, 0], size: [24, 300, 256] });
    expect(paddedCuboid([1, 256, 10], options.padTo)).toEqual({ start: [-7, 0, 0], size: [16, 256, 256] });
    expect(paddedCuboid([14, 1, 1], options.padTo)).toEqual({ start: [-1, 0, 0], size: [16, 256, 256] });
  });
});

describe('parent and view crops', () => {
  it('lie in the padded volume and in each other, for any shape', () => {
    fc.assert(
      fc.property(fc.integer(), shapes, (seed, shape) => {
        const padded = paddedCuboid(shape, options.padTo);
        const parent = drawParentCrop(new Random(seed, 'parent'), padded, options);
        expectWithin(parent, padded);
        expect(parent.size[0]).toBe(padded.size[0]);
        for (const axis of [1, 2] as const) {
          expect(parent.size[axis]).toBeGreaterThanOrEqual(134);
          expect(parent.size[axis]).toBeLessThanOrEqual(172);
        }
        const view = drawViewCrop(new Random(seed, 'view'), parent, options);
        expectWithin(view, parent);
        expect(view.size[0]).toBe(16);
        for (const axis of [1, 2] as const) {
          expect(view.size[axis]).toBeGreaterThanOrEqual(76);
          expect(view.size[axis]).toBeLessThanOrEqual(115);
        }
      }),
    );
  });

  it('takes factor 1 for an axis on which the drawn one does not fit', () => {
    const tight = { start: [0, 0, 0], size: [16, 100, 400] } as const;
    for (let i = 0; i < 20; i++) {
      const parent = drawParentCrop(new Random(i), tight, options);
      expect(parent.size[1]).toBe(96);
      expect(parent.size[2]).toBeGreaterThanOrEqual(134);
      expect(drawViewCrop(new Random(i), parent, options).size[1]).toBeLessThanOrEqual(96);
    }
  });

  it('draws sizes of both axes and all places, slices too, evenly and on their own', () => {
    const parent = { start: [2, 5, 7], size: [24, 172, 172] } as const;
    const crops = Array.from({ length: 4500 }, (_, i) => drawViewCrop(new Random('crops', i), parent, options));
    const starts = new Array<number>(9).fill(0);
    for (const crop of crops) starts[crop.start[0] - 2]!++;
    const chiSquare = starts.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0);
    expect(chiSquare).toBeLessThan(26.2); // 8 degrees of freedom, p = 0.001
    const [xs, ys] = [1, 2].map((axis) => crops.map((crop) => (crop.size[axis]! - 95.5) / (38.4 / Math.sqrt(12))));
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    for (const values of [xs!, ys!]) {
      expect(Math.abs(mean(values))).toBeLessThan(0.07);
      expect(Math.abs(mean(values.map((v) => v * v)) - 1)).toBeLessThan(0.07);
    }
    expect(Math.abs(mean(xs!.map((x, i) => x * ys![i]!)))).toBeLessThan(0.07);
  });
});

describe('cutOut', () => {
  it('equals slicing the volume after padding it with zeros', () => {
    const small = fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 6 }),
    );
    const start = fc.tuple(
      fc.integer({ min: -6, max: 6 }),
      fc.integer({ min: -6, max: 6 }),
      fc.integer({ min: -6, max: 6 }),
    );
    fc.assert(
      fc.property(small, start, small, fc.boolean(), (shape, from, size, whole) => {
        const values = Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => i + 1);
        const data = whole ? Int16Array.from(values) : Float32Array.from(values, (v) => v / 8);
        const volume: Volume = { kind: '3D', shape, data, spacing: [3, 1, 1] };
        const at = (d: number, x: number, y: number) =>
          d < 0 || x < 0 || y < 0 || d >= shape[0] || x >= shape[1] || y >= shape[2]
            ? 0
            : data[(d * shape[1] + x) * shape[2] + y]!;
        const out = cutOut(volume, { start: from, size }, 1024);
        const want: number[] = [];
        for (let d = 0; d < size[0]; d++)
          for (let x = 0; x < size[1]; x++)
            for (let y = 0; y < size[2]; y++) want.push(at(from[0] + d, from[1] + x, from[2] + y) / 1024);
        expect(out).toEqual(Float32Array.from(want));
      }),
    );
  });
});
