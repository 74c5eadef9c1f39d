import { blurSeparably, gaussianKernel } from './gaussian.ts';

/**
 * Blurs an 8-bit image with a Gaussian of `kernel` taps (odd), mirrored at the border without repeating the edge pixel, and
 * rounds at the end: OpenCV's GaussianBlur. `pixels`: RGB [height, width, 3], changed in place; `sigma` > 0, pixels.
 */
export function blurImage(pixels: Uint8Array, height: number, width: number, sigma: number, kernel: number): void {
  const values = Float32Array.from(pixels);
  const scratch = new Float32Array(values.length);
  // Taps beyond five deviations change no pixel by a thousandth of a grey level, and would take most of the time.
  const radius = Math.min((kernel - 1) / 2, Math.ceil(5 * sigma));
  const target = { values, offset: 0, size: [height, width, 3] } as const;
  blurSeparably(target, gaussianKernel(sigma, radius), 'edgeOnce', scratch);
  for (let i = 0; i < values.length; i++) pixels[i] = values[i]! + 0.5; // a weighted mean never leaves 0–255
}
