import type { Size3 } from '../../data/prepared/types.ts';

/**
 * Starts of windows along an axis that cover it with at least the wanted overlap, evenly spread, as nnU-Net places them. An axis that
 * is shorter than the window lies in its middle: its only start is negative or 0.
 * @param overlap share of a window that it shares with the next one, 0 ≤ overlap < 1
 */
export function windowStarts(length: number, window: number, overlap: number): number[] {
  if (length <= window) return [0 - Math.floor((window - length) / 2)];
  const step = Math.max(1, window * (1 - overlap));
  const count = Math.ceil((length - window) / step) + 1;
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - window)) / (count - 1)));
}

/** The starts of all windows over an image: slices first, so that what is above the present start is complete. */
export function coverImage(size: Size3, window: Size3, overlap: number): Size3[] {
  const [zs, ys, xs] = ([0, 1, 2] as const).map((axis) => windowStarts(size[axis], window[axis], overlap));
  return zs!.flatMap((z) => ys!.flatMap((y) => xs!.map((x): Size3 => [z, y, x])));
}
