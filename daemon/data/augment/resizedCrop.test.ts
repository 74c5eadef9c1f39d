import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Image2D } from '../types.ts';
import { resizedCrop } from './resizedCrop.ts';

function imageOf(height: number, width: number, value: (i: number) => number): Image2D {
  return { kind: '2D', height, width, data: Uint8Array.from({ length: height * width * 3 }, (_, i) => value(i)) };
}
const whole = (image: Image2D) => ({ top: 0, left: 0, height: image.height, width: image.width });

describe('resizedCrop', () => {
  const image = imageOf(6, 5, (i) => (i * 37) % 256);

  it('enlarges a box as PIL does', () => {
    expect([...resizedCrop(image, { top: 1, left: 1, height: 4, width: 3 }, 3, 5)]).toEqual([
      173, 226, 179, 106, 153, 139, 17, 54, 91, 83, 120, 169, 136, 173, 226, 239, 129, 19, 168, 116, 70, 74, 111, 148,
      139, 188, 142, 193, 239, 129, 79, 32, 85, 94, 89, 138, 130, 167, 204, 204, 119, 105, 247, 79, 32,
    ]);
  });

  it('shrinks with antialiasing as PIL does', () => {
    expect([...resizedCrop(image, whole(image), 2, 2)]).toEqual([
      106, 116, 127, 128, 115, 113, 138, 145, 143, 132, 131, 142,
    ]);
  });

  it('copies a box of the same size', () => {
    const same = resizedCrop(image, { top: 2, left: 1, height: 3, width: 4 }, 3, 4);
    const want = [2, 3, 4].flatMap((y) => [...image.data.slice((y * 5 + 1) * 3, (y * 5 + 5) * 3)]);
    expect([...same]).toEqual(want);
  });

  it('keeps an even colour, and looks at nothing outside the box', () => {
    const side = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(side, side, side, side, fc.integer({ min: 0, max: 255 }), (h, w, outHeight, outWidth, value) => {
        const framed = imageOf(h + 2, w + 2, (i) => {
          const [x, y] = [Math.floor(i / 3) % (w + 2), Math.floor(i / 3 / (w + 2))];
          return x === 0 || y === 0 || x > w || y > h ? 255 - value : value;
        });
        const out = resizedCrop(framed, { top: 1, left: 1, height: h, width: w }, outHeight, outWidth);
        expect(out.length).toBe(outHeight * outWidth * 3);
        expect(out.every((v) => v === value)).toBe(true);
      }),
    );
  });

  it('leaves its source as it was and never wraps around at the ends of the scale', () => {
    const edges = imageOf(8, 8, (i) => (Math.floor(i / 12) % 2 ? 255 : 0));
    const before = edges.data.slice();
    const out = resizedCrop(edges, whole(edges), 32, 32);
    expect(edges.data).toEqual(before);
    // Bicubic interpolation overshoots beside an edge; after clipping, the flat parts keep the end values.
    for (let i = 0; i < 12; i++) {
      expect(out[i]).toBeLessThan(30);
      expect(out[31 * 3 - i]).toBeGreaterThan(225);
    }
  });
});
