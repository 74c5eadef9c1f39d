import { inverseMap } from '../../../protocol/viewer/geometry.ts';
import { imageError } from '../formats/imageError.ts';
import { limits } from '../formats/limits.ts';
import { walkAffine } from '../formats/orientation.ts';
import { type StoredGrid, walkOf } from '../formats/storedVolume.ts';
import { labelsAt, type Places, type Row, valuesAt } from './atPlaces.ts';
import { each, voxelCount } from './axes.ts';
import { contentOf, outsideOf } from './contentBox.ts';
import type { StoredCase } from './readCase.ts';
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

/** Share of a wanted length that is enough. */
const nearlyAll = 0.95;

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
  if (voxelCount(straight) > limits.voxels)
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
    channels.map((values, c) => valuesAt(values, size, to, { places, outside: outsides[c]! }));
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
