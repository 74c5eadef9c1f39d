import { voxelCount } from './axes.ts';
import type { ImageValues } from './resizeMaps.ts';
import type { Size3 } from './types.ts';

/** Of each axis, slowest first: its part of a place in one array, from the indices of another and 1. */
export type Places = readonly [Row, Row, Row];
export type Row = readonly [a: number, b: number, c: number, shift: number];

/** Values at the places of another grid: linear between eight voxels. */
export function valuesAt(
  values: ImageValues,
  from: Size3,
  to: Size3,
  { places, outside }: { readonly places: Places; readonly outside: number },
): ImageValues {
  const whole = values instanceof Int16Array;
  const out = whole ? new Int16Array(voxelCount(to)) : new Float32Array(voxelCount(to));
  out.fill(outside);
  eachPlace(from, to, places, (at, place) => {
    const value = between(values, place);
    out[at] = whole ? Math.round(value) : value;
  });
  return out;
}

/** Labels at the places of another grid: of each voxel the label with the most weight among the eight around it; 0 beyond the map. */
export function labelsAt(
  map: Uint8Array | Uint16Array,
  from: Size3,
  to: Size3,
  places: Places,
): Uint8Array | Uint16Array {
  const out = map instanceof Uint16Array ? new Uint16Array(voxelCount(to)) : new Uint8Array(voxelCount(to));
  eachPlace(from, to, places, (at, place) => {
    // Of two maps that touch, only one has the face between them.
    if (!place.onUpperFace) out[at] = heaviest(map, place);
  });
  return out;
}

/** A place in an array: the first of the eight voxels around it, steps to the next along each axis, and the shares of these. */
interface Place {
  first: number;
  dz: number;
  dy: number;
  dx: number;
  fz: number;
  fy: number;
  fx: number;
  /** It lies on the last face of the array along an axis, half a voxel beyond the middle of the last voxel. */
  onUpperFace: boolean;
}

/**
 * Visits the voxels of a grid whose places lie in an array, each with its index. The outer half of a voxel belongs to the array.
 * @param visit its place is the same object each time, since there are many
 */
function eachPlace(
  [depth, height, width]: Size3,
  to: Size3,
  [pz, py, px]: Places,
  visit: (at: number, place: Place) => void,
): void {
  const place: Place = { first: 0, dz: 0, dy: 0, dx: 0, fz: 0, fy: 0, fx: 0, onUpperFace: false };
  const [lastZ, lastY, lastX] = [depth - 0.5, height - 0.5, width - 0.5];
  for (let k = 0, at = 0; k < to[0]; k++)
    for (let j = 0; j < to[1]; j++)
      for (let i = 0; i < to[2]; i++, at++) {
        const z = pz[0] * k + pz[1] * j + pz[2] * i + pz[3];
        const y = py[0] * k + py[1] * j + py[2] * i + py[3];
        const x = px[0] * k + px[1] * j + px[2] * i + px[3];
        if (z < -0.5 || y < -0.5 || x < -0.5 || z > lastZ || y > lastY || x > lastX) continue;
        const [nearZ, nearY, nearX] = [clamp(z, depth - 1), clamp(y, height - 1), clamp(x, width - 1)];
        const [z0, y0, x0] = [Math.floor(nearZ), Math.floor(nearY), Math.floor(nearX)];
        place.first = (z0 * height + y0) * width + x0;
        place.fz = nearZ - z0;
        place.fy = nearY - y0;
        place.fx = nearX - x0;
        // At a border the next voxel has no weight, and must not be read.
        place.dz = place.fz > 0 ? height * width : 0;
        place.dy = place.fy > 0 ? width : 0;
        place.dx = place.fx > 0 ? 1 : 0;
        place.onUpperFace = z === lastZ || y === lastY || x === lastX;
        visit(at, place);
      }
}

/** The linear mean of the eight voxels around a place. */
function between(values: ImageValues, { first: a, dz, dy, dx, fz, fy, fx }: Place): number {
  const [b, c, d] = [a + dy, a + dz, a + dz + dy];
  const near = mix(mix(values[a]!, values[a + dx]!, fx), mix(values[b]!, values[b + dx]!, fx), fy);
  const far = mix(mix(values[c]!, values[c + dx]!, fx), mix(values[d]!, values[d + dx]!, fx), fy);
  return mix(near, far, fz);
}

function mix(a: number, b: number, share: number): number {
  return a + share * (b - a);
}

/** The label with the most weight among the eight voxels around a place. */
function heaviest(map: Uint8Array | Uint16Array, { first: a, dz, dy, dx, fz, fy, fx }: Place): number {
  const at = (corner: number) => a + (corner & 4 ? dz : 0) + (corner & 2 ? dy : 0) + (corner & 1 ? dx : 0);
  const first = map[a]!;
  let same = true;
  for (let corner = 1; corner < 8 && same; corner++) same = map[at(corner)] === first;
  if (same) return first;
  let [label, most] = [first, 0];
  for (let one = 0; one < 8; one++) {
    const own = map[at(one)]!;
    let sum = 0;
    for (let other = 0; other < 8; other++)
      if (map[at(other)] === own)
        sum += (other & 4 ? fz : 1 - fz) * (other & 2 ? fy : 1 - fy) * (other & 1 ? fx : 1 - fx);
    if (sum > most) [label, most] = [own, sum];
    if (most > 0.5) break;
  }
  return label;
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}
