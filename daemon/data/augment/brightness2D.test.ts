import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adjustBrightness } from './brightness2D.ts';

const colors = [255, 0, 0, 12, 200, 31, 90, 90, 90, 250, 251, 249, 0, 0, 0, 13, 17, 240, 128, 64, 200, 77, 180, 179];
const rgb = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((a) => Uint8Array.from([...a, ...a, ...a]));

function adjusted(pixels: Iterable<number>, amount: number): Uint8Array {
  const copy = Uint8Array.from(pixels);
  adjustBrightness(copy, amount);
  return copy;
}

describe('adjustBrightness', () => {
  it.each([
    [0.6, [153, 0, 0, 7, 120, 18, 54, 54, 54, 150, 150, 149, 0, 0, 0, 7, 10, 144, 76, 38, 120, 46, 108, 107]],
    [1.4, [255, 0, 0, 16, 255, 43, 126, 126, 126, 255, 255, 255, 0, 0, 0, 18, 23, 255, 179, 89, 255, 107, 252, 250]],
  ])('agrees with PIL at %d', (amount, want) => {
    expect([...adjusted(colors, amount)]).toEqual(want);
  });

  it('changes nothing by 1 and gives black by 0', () => {
    fc.assert(
      fc.property(rgb, (pixels) => {
        expect(adjusted(pixels, 1)).toEqual(pixels);
        expect(adjusted(pixels, 0)).toEqual(new Uint8Array(pixels.length));
      }),
    );
  });
});
