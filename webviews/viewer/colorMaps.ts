import type { ColorMapName } from '../../protocol/viewer/displayNames.ts';

/** Points of a colour map, evenly spaced from low to high. Viridis: matplotlib's (CC0), every 32nd colour. */
const points: Readonly<Record<ColorMapName, readonly (readonly [number, number, number])[]>> = {
  grey: [
    [0, 0, 0],
    [255, 255, 255],
  ],
  inverted: [
    [255, 255, 255],
    [0, 0, 0],
  ],
  hot: [
    [0, 0, 0],
    [170, 0, 0],
    [255, 85, 0],
    [255, 255, 0],
    [255, 255, 255],
  ],
  viridis: [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
  ],
};
const tables = new Map<ColorMapName, Uint8ClampedArray>();

/** Red, green, blue for each of 256 steps from low to high. */
export function colorMap(name: ColorMapName): Uint8ClampedArray {
  const known = tables.get(name);
  if (known) return known;
  const table = new Uint8ClampedArray(3 * 256);
  const list = points[name];
  for (let step = 0; step < 256; step++) {
    const at = (step / 255) * (list.length - 1);
    const i = Math.min(list.length - 2, Math.floor(at));
    for (const c of [0, 1, 2]) {
      const [from, to] = [list[i]?.[c] ?? 0, list[i + 1]?.[c] ?? 0];
      table[3 * step + c] = from + (to - from) * (at - i);
    }
  }
  tables.set(name, table);
  return table;
}
