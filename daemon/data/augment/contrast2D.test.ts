import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adjustContrast } from './contrast2D.ts';

const colors = [255, 0, 0, 12, 200, 31, 90, 90, 90, 250, 251, 249, 0, 0, 0, 13, 17, 240, 128, 64, 200, 77, 180, 179];
const rgb = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((a) => Uint8Array.from([...a, ...a, ...a]));

function adjusted(pixels: Iterable<number>, amount: number): Uint8Array {
  const copy = Uint8Array.from(pixels);
  adjustContrast(copy, amount);
  return copy;
}

describe('adjustContrast', () => {
  it.each([
    [0.6, [194, 41, 41, 48, 161, 60, 95, 95, 95, 191, 192, 191, 41, 41, 41, 49, 51, 185, 118, 80, 161, 87, 149, 149]],
    [1.4, [255, 0, 0, 0, 238, 1, 84, 84, 84, 255, 255, 255, 0, 0, 0, 0, 0, 255, 137, 48, 238, 66, 210, 209]],
  ])('agrees with PIL at %d', (amount, want) => {
    expect([...adjusted(colors, amount)]).toEqual(want);
  });

  it('changes nothing by 1 and gives an even grey by 0', () => {
    fc.assert(
      fc.property(rgb, (pixels) => {
        expect(adjusted(pixels, 1)).toEqual(pixels);
        expect(new Set(adjusted(pixels, 0)).size).toBe(1);
      }),
    );
  });
});
