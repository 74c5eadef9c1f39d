import { blend } from './blend.ts';
import { luma } from './grey.ts';

/** Blends an image with its luma, in place: PIL's ImageEnhance.Color. `pixels`: RGB [.., 3], 8 bit; `factor` ≥ 0, 1 changes nothing. */
export function adjustSaturation(pixels: Uint8Array, factor: number): void {
  const single = Math.fround(factor);
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i]!;
    const green = pixels[i + 1]!;
    const blue = pixels[i + 2]!;
    const grey = luma(red, green, blue);
    pixels[i] = blend(grey, red, single);
    pixels[i + 1] = blend(grey, green, single);
    pixels[i + 2] = blend(grey, blue, single);
  }
}
