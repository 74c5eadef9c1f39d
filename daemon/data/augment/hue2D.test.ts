import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adjustHue } from './hue2D.ts';

const colors = [255, 0, 0, 12, 200, 31, 90, 90, 90, 250, 251, 249, 0, 0, 0, 13, 17, 240, 128, 64, 200, 77, 180, 179];
const rgb = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((a) => Uint8Array.from([...a, ...a, ...a]));

function adjusted(pixels: Iterable<number>, amount: number): Uint8Array {
  const copy = Uint8Array.from(pixels);
  adjustHue(copy, amount);
  return copy;
}

describe('adjustHue', () => {
  it.each([
    [0.1, [255, 150, 0, 13, 200, 140, 90, 90, 90, 249, 251, 249, 0, 0, 0, 141, 13, 240, 200, 64, 192, 78, 121, 180]],
    [-0.1, [255, 0, 144, 105, 200, 13, 90, 90, 90, 251, 251, 249, 0, 0, 0, 13, 152, 240, 64, 80, 200, 78, 180, 119]],
    [0, [255, 0, 0, 13, 200, 30, 90, 90, 90, 250, 251, 249, 0, 0, 0, 13, 19, 240, 128, 64, 200, 78, 180, 179]],
  ])('agrees with PIL at %d', (amount, want) => {
    expect([...adjusted(colors, amount)]).toEqual(want);
  });

  it('keeps value (the largest channel) of every colour, and greys as they are', () => {
    fc.assert(
      fc.property(rgb, fc.double({ min: -0.5, max: 0.5, noNaN: true }), (pixels, shift) => {
        const turned = adjusted(pixels, shift);
        for (let i = 0; i < pixels.length; i += 3) {
          const [before, after] = [pixels.slice(i, i + 3), turned.slice(i, i + 3)];
          expect(Math.max(...after)).toBe(Math.max(...before));
          if (new Set(before).size === 1) expect(after).toEqual(before);
        }
      }),
    );
  });
});
