import { each } from './axes.ts';
import type { ImageValues } from './resizeMaps.ts';
import type { Size3 } from './types.ts';

/** What lies beyond an image: the value that all its corners have, as margins that were filled in do, else its smallest. */
export function outsideOf(values: ImageValues, [depth, height, width]: Size3): number {
  const corners = [0, depth - 1].flatMap((k) =>
    [0, height - 1].flatMap((j) => [0, width - 1].map((i) => values[(k * height + j) * width + i]!)),
  );
  const [first = 0, ...others] = corners;
  if (others.every((value) => value === first)) return first;
  let least = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < least) least = value;
  return least;
}

/**
 * The box in which the image is: beyond it every channel has its outside value alone. Interpolation smears the faces of an image that was
 * resampled before over a voxel or two; where a face plane is such a smear, the box begins where the image is half there. Everything
 * where there is nothing but the outside value.
 */
export function contentOf(
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
