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
  /** A map in that grid, brought into the grid of the image: of each voxel the nearest. */
  back(map: Uint8Array | Uint16Array): Uint8Array | Uint16Array;
}

/** Of each axis, slowest first: its part of a place in one array, from the indices of another and 1. */
type Places = readonly [Row, Row, Row];
type Row = readonly [a: number, b: number, c: number, shift: number];

function each<T>(make: (axis: 0 | 1 | 2) => T): [T, T, T] {
  return [make(0), make(1), make(2)];
}

/**
 * Brings an image into a grid along the patient's axes that covers it, with voxels as large as its own: linear, beyond the image its smallest
 * value.
 * @throws UnimissError 'data' where that would be too large
 */
export function straighten(image: StoredCase, grid: StoredGrid, path: string): Straightened {
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
  const toStored = inverse(toStraight);
  return {
    stored: {
      ...image,
      size: straight,
      spacing: image.spacing && spacing,
      channels: channels.map((values) => turned(values, size, straight, toStored)),
    },
    back: (map) => nearest(map, straight, size, toStraight),
  };
}

function inverse([[a, b, c, p], [d, e, f, q], [g, h, i, r]]: Places): Places {
  const [A, B, C] = [e * i - f * h, f * g - d * i, d * h - e * g];
  const whole = a * A + b * B + c * C;
  const row = (u: number, v: number, w: number): Row => {
    const [x, y, z] = [u / whole, v / whole, w / whole];
    return [x, y, z, -(x * p + y * q + z * r)];
  };
  return [
    row(A, c * h - b * i, b * f - c * e),
    row(B, a * i - c * g, c * d - a * f),
    row(C, b * g - a * h, a * e - b * d),
  ];
}

/** Values at the places of another grid: linear between eight voxels; outside, the smallest value. */
function turned(values: ImageValues, from: Size3, to: Size3, [pz, py, px]: Places): ImageValues {
  let outside = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < outside) outside = value;
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

function nearest(
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
        const z = Math.round(clamp(pz[0] * k + pz[1] * j + pz[2] * i + pz[3], depth - 1));
        const y = Math.round(clamp(py[0] * k + py[1] * j + py[2] * i + py[3], height - 1));
        const x = Math.round(clamp(px[0] * k + px[1] * j + px[2] * i + px[3], width - 1));
        out[at] = map[(z * height + y) * width + x]!;
      }
  return out;
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

function voxels([depth, height, width]: Size3): number {
  return depth * height * width;
}
