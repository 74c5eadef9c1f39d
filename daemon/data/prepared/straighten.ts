import { inverseMap } from '../../../protocol/viewer/geometry.ts';
import { imageError } from '../formats/imageError.ts';
import { limits } from '../formats/limits.ts';
import { walkAffine } from '../formats/orientation.ts';
import { type StoredGrid, walkOf } from '../formats/storedVolume.ts';
import type { StoredCase } from './readCase.ts';
import type { ImageValues } from './resizeMaps.ts';
import type { Size3 } from './types.ts';

/**
 * Images whose axes lie off the patient's (oblique reformats, tilted slices). A network that has only seen images along these axes does not
 * know a body that lies aslant in the array. So such an image is brought into a grid along the axes, and the labels back into its own.
 */

/** Tilt up to which an image counts as straight, degrees: 3 mm at a distance of 20 cm. */
export const straightUpTo = 1;

/** The largest angle, degrees, between an axis of a grid and the nearest axis of the patient. */
export function tiltOf({ affine }: Pick<StoredGrid, 'affine'>): number {
  const cosines = each((axis) => {
    const column = affine.map((row) => row[axis]);
    return Math.max(...column.map(Math.abs)) / Math.hypot(...column);
  });
  return (Math.acos(Math.min(1, ...cosines)) * 180) / Math.PI;
}

/** An image in a grid along the patient's axes. */
export interface Straightened {
  readonly stored: StoredCase;
  /** A map in that grid, brought into the grid of the image: 0 where the copy has nothing of it. */
  back(map: Uint8Array | Uint16Array): Uint8Array | Uint16Array;
}

/** Of each axis, slowest first: its part of a place in one array, from the indices of another and 1. */
type Places = readonly [Row, Row, Row];
type Row = readonly [a: number, b: number, c: number, shift: number];

function each<T>(make: (axis: 0 | 1 | 2) => T): [T, T, T] {
  return [make(0), make(1), make(2)];
}

/**
 * Brings an image into a grid along the patient's axes, with voxels as large as its own: linear. The grid covers all of it but margins that
 * hold only the value that lies beyond it (`outsideOf`).
 * @param path for messages
 * @param shortest mm; the copy keeps margins up to these lengths: what a network sees at a time should be image, not padding. An image that
 * nearly has them is left as long as it is: made longer, it would no longer lie in the window as the images of the training do
 * @throws UnimissError 'data' where that would be too large
 */
export function straighten(
  image: StoredCase,
  grid: StoredGrid,
  path: string,
  shortest: readonly [number, number, number] = [0, 0, 0],
): Straightened {
  const { size, channels } = image;
  const affine = walkAffine(grid.affine, grid.size, walkOf(grid));
  // Millimetres towards Inferior, Posterior and Left, as arrays are ordered.
  const along = each((axis): Row => {
    const [a, b, c, t] = affine[(2 - axis) as 0 | 1 | 2];
    return [-a, -b, -c, -t];
  });
  const spacing = each((axis) => Math.hypot(along[0][axis], along[1][axis], along[2][axis]));
  const ends = along.map(([a, b, c, t]) => {
    const steps = [a * (size[0] - 1), b * (size[1] - 1), c * (size[2] - 1)];
    const [least, most] = [Math.min, Math.max].map((of) => steps.reduce((sum, step) => sum + of(0, step), t));
    return { least: least ?? t, most: most ?? t };
  });
  const end = (axis: 0 | 1 | 2) => ends[axis] ?? { least: 0, most: 0 };
  const straight = each((axis) => Math.ceil((end(axis).most - end(axis).least) / spacing[axis] - 1e-3) + 1);
  if (voxels(straight) > limits.voxels)
    throw imageError(path, `is oblique, and would have ${straight.join('×')} voxels along the patient's axes`, {
      remedy: 'Resample it along the axes, or cut it to the part that matters.',
    });
  const toStraight = each((axis): Row => {
    const [a, b, c, t] = along[axis];
    const mm = spacing[axis];
    return [a / mm, b / mm, c / mm, (t - end(axis).least) / mm];
  });
  const back = inverseMap(toStraight);
  const toStored = each((axis): Row => {
    const [a = 0, b = 0, c = 0, shift = 0] = back[axis] ?? [];
    return [a, b, c, shift];
  });
  const outsides = channels.map((values) => outsideOf(values, size));
  const at = (places: Places, to: Size3) =>
    channels.map((values, c) => turned(values, size, to, { places, outside: outsides[c]! }));
  // The corners of the box hold nothing of the image, and so do margins that were added when it was tilted.
  const content = contentOf(at(toStored, straight), straight, outsides);
  const spans = each((axis) => {
    const [own, all] = [content.length[axis], straight[axis]];
    const missing = own * spacing[axis] < nearlyAll * shortest[axis];
    const wanted = missing ? Math.min(all, Math.max(own, Math.floor(shortest[axis] / spacing[axis]))) : own;
    const before = content.first[axis] - Math.floor((wanted - own) / 2);
    return { first: Math.min(Math.max(0, before), all - wanted), length: wanted };
  });
  const [first, length] = [each((axis) => spans[axis].first), each((axis) => spans[axis].length)];
  const fromContent = each((axis): Row => {
    const [a, b, c, t] = toStored[axis];
    return [a, b, c, t + a * first[0] + b * first[1] + c * first[2]];
  });
  const toContent = each((axis): Row => {
    const [a, b, c, t] = toStraight[axis];
    return [a, b, c, t - first[axis]];
  });
  return {
    stored: {
      ...image,
      size: length,
      spacing: image.spacing && spacing,
      channels: at(fromContent, length),
    },
    back: (map) => labelsAt(map, length, size, toContent),
  };
}

/**
 * The box in which the image is: beyond it every channel has its outside value alone. Interpolation smears the faces of an image that was
 * resampled before over a voxel or two; where a face plane is such a smear, the box begins where the image is half there. Everything
 * where there is nothing but the outside value.
 */
function contentOf(
  channels: readonly ImageValues[],
  size: Size3,
  outsides: readonly number[],
): { first: Size3; length: Size3 } {
  const planes = planesOf(channels, size, outsides);
  const spans = each((axis) => spanOf(planes[axis], size[axis]));
  if (spans.some((span) => span === undefined)) return { first: [0, 0, 0], length: size };
  return {
    first: each((axis) => spans[axis]?.first ?? 0),
    length: each((axis) => spans[axis]?.length ?? size[axis]),
  };
}

/** A plane across an axis: how far its values lie from the outside value, summed, and how many do. */
interface Plane {
  apart: number;
  voxels: number;
}

/** All planes across each axis. */
function planesOf(
  channels: readonly ImageValues[],
  size: Size3,
  outsides: readonly number[],
): [Plane[], Plane[], Plane[]] {
  const planes = each((axis) => Array.from({ length: size[axis] }, (): Plane => ({ apart: 0, voxels: 0 })));
  for (const [c, values] of channels.entries()) {
    const outside = outsides[c]!;
    for (let k = 0, at = 0; k < size[0]; k++)
      for (let j = 0; j < size[1]; j++)
        for (let i = 0; i < size[2]; i++, at++) {
          const apart = Math.abs(values[at]! - outside);
          if (apart === 0) continue;
          for (const plane of [planes[0][k]!, planes[1][j]!, planes[2][i]!]) {
            plane.apart += apart;
            plane.voxels++;
          }
        }
  }
  return planes;
}

/** Share of a wanted length that is enough. */
const nearlyAll = 0.95;

/** Planes of a face that two interpolations smear, at most. */
const smeared = 2;

/** Share of the voxels of the fullest plane that a face has. */
const wholeFace = 0.8;

/** From the first plane of the image, whose place may lie between two planes, to the last; undefined: there is none. */
function spanOf(planes: readonly Plane[], length: number): { first: number; length: number } | undefined {
  const [ahead, behind] = [begin(planes), begin(planes.toReversed())];
  if (!ahead || !behind) return undefined;
  const own = length - ahead.plane - behind.plane;
  // What the content of the planes does to the place of either face goes the other way at the other face.
  const shift = (ahead.place - ahead.plane - (behind.place - behind.plane)) / 2;
  return { first: ahead.plane + Math.min(0.5, Math.max(-0.5, shift)), length: own };
}

/** Where the image begins: the first plane that is mostly of it, and the place of its first voxels. undefined: there is none. */
function begin(planes: readonly Plane[]): { plane: number; place: number } | undefined {
  const first = planes.findIndex(({ voxels }) => voxels > 0);
  if (first === -1) return undefined;
  // The tip of a structure grows slowly; the face of an image has nearly all that its planes have at once.
  const most = Math.max(...planes.map(({ voxels }) => voxels));
  const face = planes.slice(first, first + smeared).some(({ voxels }) => voxels > wholeFace * most);
  if (!face) return { plane: first, place: first };
  const apart = (at: number) => planes[at]?.apart ?? 0;
  let plane = first;
  while (plane < first + smeared && apart(plane) < apart(plane + 1) / 2) plane++;
  // Interpolation moves no mass: what the planes before the first whole one have tells how much of the image they are.
  const whole = apart(plane) >= 0.9 * apart(plane + 1) ? plane : plane + 1;
  let before = 0;
  for (let at = first; at < whole; at++) before += apart(at);
  return { plane, place: whole - before / apart(whole) };
}

/** What lies beyond an image: the value that all its corners have, as margins that were filled in do, else its smallest. */
function outsideOf(values: ImageValues, [depth, height, width]: Size3): number {
  const corners = [0, depth - 1].flatMap((k) =>
    [0, height - 1].flatMap((j) => [0, width - 1].map((i) => values[(k * height + j) * width + i]!)),
  );
  const [first = 0, ...others] = corners;
  if (others.every((value) => value === first)) return first;
  let least = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < least) least = value;
  return least;
}

/** Values at the places of another grid: linear between eight voxels. */
function turned(
  values: ImageValues,
  from: Size3,
  to: Size3,
  { places: [pz, py, px], outside }: { readonly places: Places; readonly outside: number },
): ImageValues {
  const whole = values instanceof Int16Array;
  const out = whole ? new Int16Array(voxels(to)) : new Float32Array(voxels(to));
  const [depth, height, width] = from;
  let at = 0;
  for (let k = 0; k < to[0]; k++)
    for (let j = 0; j < to[1]; j++)
      for (let i = 0; i < to[2]; i++, at++) {
        const z = pz[0] * k + pz[1] * j + pz[2] * i + pz[3];
        const y = py[0] * k + py[1] * j + py[2] * i + py[3];
        const x = px[0] * k + px[1] * j + px[2] * i + px[3];
        // The outer half of a voxel belongs to the image.
        if (z < -0.5 || y < -0.5 || x < -0.5 || z > depth - 0.5 || y > height - 0.5 || x > width - 0.5) {
          out[at] = outside;
          continue;
        }
        const value = between(values, from, clamp(z, depth - 1), clamp(y, height - 1), clamp(x, width - 1));
        out[at] = whole ? Math.round(value) : value;
      }
  return out;
}

/** The linear mean of the eight voxels around a place within the image. */
function between(values: ImageValues, [, height, width]: Size3, z: number, y: number, x: number): number {
  const [z0, y0, x0] = [Math.floor(z), Math.floor(y), Math.floor(x)];
  const [fz, fy, fx] = [z - z0, y - y0, x - x0];
  // At a border the next voxel has no weight, and must not be read.
  const dz = fz > 0 ? height * width : 0;
  const dy = fy > 0 ? width : 0;
  const dx = fx > 0 ? 1 : 0;
  const a = (z0 * height + y0) * width + x0;
  const [b, c, d] = [a + dy, a + dz, a + dz + dy];
  const near = mix(mix(values[a]!, values[a + dx]!, fx), mix(values[b]!, values[b + dx]!, fx), fy);
  const far = mix(mix(values[c]!, values[c + dx]!, fx), mix(values[d]!, values[d + dx]!, fx), fy);
  return mix(near, far, fz);
}

function mix(a: number, b: number, share: number): number {
  return a + share * (b - a);
}

/** Labels at the places of another grid: of each voxel the label with the most weight among the eight around it; 0 beyond the map. */
function labelsAt(
  map: Uint8Array | Uint16Array,
  from: Size3,
  to: Size3,
  [pz, py, px]: Places,
): Uint8Array | Uint16Array {
  const out = map instanceof Uint16Array ? new Uint16Array(voxels(to)) : new Uint8Array(voxels(to));
  const [depth, height, width] = from;
  let at = 0;
  for (let k = 0; k < to[0]; k++)
    for (let j = 0; j < to[1]; j++)
      for (let i = 0; i < to[2]; i++, at++) {
        const z = pz[0] * k + pz[1] * j + pz[2] * i + pz[3];
        const y = py[0] * k + py[1] * j + py[2] * i + py[3];
        const x = px[0] * k + px[1] * j + px[2] * i + px[3];
        if (z < -0.5 || y < -0.5 || x < -0.5 || z >= depth - 0.5 || y >= height - 0.5 || x >= width - 0.5) continue;
        out[at] = heaviest(map, from, clamp(z, depth - 1), clamp(y, height - 1), clamp(x, width - 1));
      }
  return out;
}

/** The label with the most weight among the eight voxels around a place within the map. */
function heaviest(map: Uint8Array | Uint16Array, [, height, width]: Size3, z: number, y: number, x: number): number {
  const [z0, y0, x0] = [Math.floor(z), Math.floor(y), Math.floor(x)];
  const [fz, fy, fx] = [z - z0, y - y0, x - x0];
  const dz = fz > 0 ? height * width : 0;
  const dy = fy > 0 ? width : 0;
  const dx = fx > 0 ? 1 : 0;
  const a = (z0 * height + y0) * width + x0;
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

function voxels([depth, height, width]: Size3): number {
  return depth * height * width;
}
