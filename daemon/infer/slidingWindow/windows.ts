import type { Size3 } from '../../data/prepared/types.ts';

/**
 * Starts of windows along an axis that cover it with at least the wanted overlap, evenly spread, as nnU-Net places them. An axis that
 * is shorter than the window lies in its middle: its only start is negative or 0.
 * @param overlap share of a window that it shares with the next one, 0 ≤ overlap < 1
 * @param multiple what starts are multiples of; it divides the window. The last window may reach over the end by less than this
 */
export function windowStarts(length: number, window: number, overlap: number, multiple = 1): number[] {
  if (length <= window) return [0 - multiple * Math.floor((window - length) / 2 / multiple)];
  const step = Math.max(multiple, window * (1 - overlap));
  const last = Math.ceil((length - window) / multiple);
  const count = Math.ceil((multiple * last) / step) + 1;
  return Array.from({ length: count }, (_, i) => multiple * Math.round((i * last) / (count - 1)));
}

/**
 * The starts of all windows over an image: slices first, so that what is above the present start is complete.
 * @param stride what starts in the plane are multiples of
 */
export function coverImage(size: Size3, window: Size3, overlap: number, stride = 1): Size3[] {
  const along = (axis: 0 | 1 | 2) => windowStarts(size[axis], window[axis], overlap, axis === 0 ? 1 : stride);
  const [ys, xs] = [along(1), along(2)];
  return along(0).flatMap((z) => ys.flatMap((y) => xs.map((x): Size3 => [z, y, x])));
}
