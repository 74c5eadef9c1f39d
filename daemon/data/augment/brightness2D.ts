import { blendTable } from './blend.ts';

/** Blends an image with black, in place: PIL's ImageEnhance.Brightness. `pixels`: RGB, 8 bit; `factor` ≥ 0, 1 changes nothing. */
export function adjustBrightness(pixels: Uint8Array, factor: number): void {
  const table = blendTable(0, factor);
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[pixels[i]!]!;
}
