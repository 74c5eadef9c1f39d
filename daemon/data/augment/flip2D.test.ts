import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flipHorizontally } from './flip2D.ts';

it('brings column x to width − 1 − x and keeps colours together, for any size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (height, width) => {
      const pixels = Uint8Array.from({ length: height * width * 3 }, (_, i) => i);
      flipHorizontally(pixels, height, width);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          for (let c = 0; c < 3; c++) expect(pixels[(y * width + x) * 3 + c]).toBe((y * width + width - 1 - x) * 3 + c);
    }),
  );
});
