import { describe, expect, it } from 'vitest';
import { blurImage } from './blur2D.ts';

const ramp = () => Uint8Array.from({ length: 6 * 5 * 3 }, (_, i) => (i * 37) % 256);

describe('blurImage', () => {
  it.each([
    [0.4, [12, 49, 86, 114, 141, 178, 197, 16, 53, 90, 117, 144, 183, 201, 21]],
    [2, [117, 123, 130, 119, 123, 130, 120, 121, 128, 124, 121, 127, 124, 120, 126]],
  ])('agrees with OpenCV within 1 grey level at sigma %d, on an image smaller than the kernel', (sigma, firstRow) => {
    const pixels = ramp();
    blurImage(pixels, 6, 5, sigma, 23);
    for (const [i, want] of firstRow.entries()) expect(Math.abs(pixels[i]! - want)).toBeLessThanOrEqual(1);
  });

  it('leaves an even image and, at a tiny sigma, any image as it was', () => {
    const even = new Uint8Array(4 * 4 * 3).fill(255);
    blurImage(even, 4, 4, 1.7, 23);
    expect(even.every((v) => v === 255)).toBe(true);
    const pixels = ramp();
    blurImage(pixels, 6, 5, 0.1, 23);
    expect(pixels).toEqual(ramp());
  });
});
