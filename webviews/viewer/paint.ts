import type { LoadedPlane } from './planeLoader.ts';
import type { ValueWindow } from './state.ts';

/** Writes a plane's pixels (red, green, blue, opacity) for a window. NaN is transparent: it is no value. */
export function paint(plane: LoadedPlane, { low, high }: ValueWindow, data: Uint8ClampedArray): void {
  const { numbers, slope, intercept, kind } = plane;
  // 255 · (value − low) / (high − low), in the numbers as they are stored.
  const gain = (255 * slope) / (high - low);
  const offset = (255 * (intercept - low)) / (high - low);
  const pixels = plane.width * plane.height;
  for (let i = 0, o = 0; i < pixels; i++, o += 4) {
    if (kind === 'rgb') {
      for (const c of [0, 1, 2]) data[o + c] = ((numbers[3 * i + c] ?? 0) - low) * (255 / (high - low));
    } else {
      const grey = (numbers[i] ?? Number.NaN) * gain + offset;
      data[o] = grey;
      data[o + 1] = grey;
      data[o + 2] = grey;
      if (Number.isNaN(grey)) continue;
    }
    data[o + 3] = 255;
  }
}

/** The value at a pixel; of a colour picture its three. */
export function valueAt(plane: LoadedPlane, x: number, y: number): number[] {
  if (x < 0 || y < 0 || x >= plane.width || y >= plane.height) return [];
  const i = y * plane.width + x;
  if (plane.kind === 'rgb') return [...plane.numbers.slice(3 * i, 3 * i + 3)];
  return [(plane.numbers[i] ?? 0) * plane.slope + plane.intercept];
}
