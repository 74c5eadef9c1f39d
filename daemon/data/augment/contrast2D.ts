import { blendTable } from './blend.ts';
import { luma } from './grey.ts';

/**
 * Blends an image with the rounded mean of its luma, in place: PIL's ImageEnhance.Contrast. `pixels`: RGB [.., 3], 8 bit;
 * `factor` ≥ 0, 1 changes nothing.
 */
export function adjustContrast(pixels: Uint8Array, factor: number): void {
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 3) sum += luma(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!);
  const mean = Math.floor(sum / (pixels.length / 3) + 0.5);
  const table = blendTable(mean, factor);
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[pixels[i]!]!;
}
