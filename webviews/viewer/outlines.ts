import { labelColor } from './labelColors.ts';
import { labelAt, type ShownLayer } from './paint.ts';

type Corner = readonly [x: number, y: number];

/** Lines around the labels of a layer, by the label's colour, in units of pixels of the plane. */
export function outlinesOf({ info, look, plane }: ShownLayer): ReadonlyMap<string, Path2D> {
  const lines = new Map<string, Path2D>();
  if (info.content.kind !== 'labels') return lines;
  const off = new Set(look.hidden);
  const paths = new Map<number, Path2D>();
  for (const { value } of info.content.labels) {
    if (off.has(value)) continue;
    const color = `rgb(${labelColor(value).join(' ')})`;
    const path = lines.get(color) ?? new Path2D();
    paths.set(value, path);
    lines.set(color, path);
  }
  const { width, height } = plane;
  const edge = (one: number, other: number, from: Corner, to: Corner) => {
    // Where two labels touch, both have the line; the later one is seen.
    for (const label of [one, other]) {
      const path = label === 0 ? undefined : paths.get(label);
      path?.moveTo(...from);
      path?.lineTo(...to);
    }
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const own = labelAt(plane, y * width + x);
      const right = x + 1 < width ? labelAt(plane, y * width + x + 1) : 0;
      const below = y + 1 < height ? labelAt(plane, (y + 1) * width + x) : 0;
      if (own !== right) edge(own, right, [x + 1, y], [x + 1, y + 1]);
      if (own !== below) edge(own, below, [x, y + 1], [x + 1, y + 1]);
      if (x === 0 && own !== 0) edge(own, 0, [0, y], [0, y + 1]);
      if (y === 0 && own !== 0) edge(own, 0, [x, 0], [x + 1, 0]);
    }
  return lines;
}
