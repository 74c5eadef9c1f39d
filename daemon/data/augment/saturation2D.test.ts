import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toGrey } from './grey.ts';
import { adjustSaturation } from './saturation2D.ts';

const colors = [255, 0, 0, 12, 200, 31, 90, 90, 90, 250, 251, 249, 0, 0, 0, 13, 17, 240, 128, 64, 200, 77, 180, 179];
const rgb = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((a) => Uint8Array.from([...a, ...a, ...a]));

function adjusted(pixels: Iterable<number>, amount: number): Uint8Array {
  const copy = Uint8Array.from(pixels);
  adjustSaturation(copy, amount);
  return copy;
}

describe('adjustSaturation', () => {
  it.each([
    [0.6, [183, 30, 30, 57, 170, 68, 90, 90, 90, 250, 250, 249, 0, 0, 0, 24, 26, 160, 116, 78, 159, 105, 167, 167]],
    [1.4, [255, 0, 0, 0, 230, 0, 90, 90, 90, 250, 251, 248, 0, 0, 0, 1, 7, 255, 139, 50, 240, 48, 192, 191]],
  ])('agrees with PIL at %d', (amount, want) => {
    expect([...adjusted(colors, amount)]).toEqual(want);
  });

  it('changes nothing by 1 and gives luma by 0', () => {
    fc.assert(
      fc.property(rgb, (pixels) => {
        expect(adjusted(pixels, 1)).toEqual(pixels);
        const grey = pixels.slice();
        toGrey(grey);
        expect(adjusted(pixels, 0)).toEqual(grey);
      }),
    );
  });
});
