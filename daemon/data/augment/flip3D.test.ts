import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flipVolume } from './flip3D.ts';

it('mirrors exactly the axes that are asked for, for any size', () => {
  const size = fc.integer({ min: 1, max: 6 });
  const axes = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(fc.tuple(size, size, size), axes, ([slices, height, width], flips) => {
      const values = Float32Array.from({ length: slices * height * width }, (_, i) => i);
      flipVolume(values, [slices, height, width], flips);
      const source = (i: number, length: number, flip: boolean) => (flip ? length - 1 - i : i);
      values.forEach((value, i) => {
        const x = source(i % width, width, flips[2]);
        const y = source(Math.floor(i / width) % height, height, flips[1]);
        const d = source(Math.floor(i / width / height), slices, flips[0]);
        expect(value).toBe((d * height + y) * width + x);
      });
    }),
  );
});
