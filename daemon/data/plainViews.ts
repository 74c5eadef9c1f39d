import { cutOut, paddedCuboid } from './augment/crop3D.ts';
import { resizedCrop } from './augment/resizedCrop.ts';
import { resizeSlices } from './augment/resizeSlices.ts';
import { intensityScale } from './augment/views3D.ts';
import type { Image2D, Volume } from './types.ts';

/** Largest number of windows for a long volume: enough for a whole CT at 16 slices each. */
const MOST_WINDOWS = 16;
/** Voxels of a volume per voxel of a view, in plane: training views have at most 1.4 (crop3D, daemon/data/augment). */
const WIDEST_SCALE = 1.6;

/**
 * Makes a view of an image without augmentation, for features: the largest centred part with the view's aspect ratio, resized (bicubic), values 0–1.
 * @returns [height, width, 3]
 */
export function plainView2D(image: Image2D, size: readonly [number, number]): Float32Array {
  return Float32Array.from(resizedCrop(image, plainBox2D(image, size), ...size), (v) => v / 255);
}

/** The part of an image that such a view shows, pixels. */
export function plainBox2D(image: Pick<Image2D, 'height' | 'width'>, [height, width]: readonly [number, number]) {
  const scale = Math.min(image.height / height, image.width / width);
  const box = {
    height: Math.max(1, Math.round(height * scale)),
    width: Math.max(1, Math.round(width * scale)),
    top: 0,
    left: 0,
  };
  box.top = Math.floor((image.height - box.height) / 2);
  box.left = Math.floor((image.width - box.width) / 2);
  return box;
}

/**
 * Makes views of a volume without augmentation, for features: windows of consecutive slices that cover it evenly, HU / 1024.
 * There is one window if it has no more slices than a view; with fewer slices it is padded with 0 HU. In plane they show the
 * largest centred part with the view's aspect ratio, resized (bilinear). If that would shrink it more than training views do, 2×2
 * tiles show it.
 * @returns each [slices, height, width]
 */
export function plainViews3D(volume: Volume, size: readonly [number, number, number]): Float32Array[] {
  const [slices, height, width] = size;
  return plainBoxes3D(volume, size).map((box) => {
    const [, x, y] = box.size;
    return resizeSlices(cutOut(volume, box, intensityScale), [slices, x, y], height, width);
  });
}

/** A part of a volume that a view shows, voxels [slice, x, y]; slices before 0 and behind the last are padding. */
export interface PlainBox {
  readonly start: readonly [number, number, number];
  readonly size: readonly [number, number, number];
}

/** The parts that such views show, in their order. */
export function plainBoxes3D(
  volume: Pick<Volume, 'shape'>,
  [slices, height, width]: readonly [number, number, number],
): PlainBox[] {
  const within = paddedCuboid(volume.shape, [slices, 1, 1]);
  const spare = within.size[0] - slices;
  const wholeScale = Math.min(volume.shape[1] / height, volume.shape[2] / width);
  const tiles = wholeScale > WIDEST_SCALE ? 2 : 1;
  const x = Math.max(1, Math.floor((height * wholeScale) / tiles));
  const y = Math.max(1, Math.floor((width * wholeScale) / tiles));
  const left = [Math.floor((volume.shape[1] - tiles * x) / 2), Math.floor((volume.shape[2] - tiles * y) / 2)] as const;
  const count = Math.min(MOST_WINDOWS, Math.ceil(within.size[0] / slices));
  return Array.from({ length: count }, (_, i) => {
    const first = within.start[0] + (count === 1 ? Math.floor(spare / 2) : Math.round((spare * i) / (count - 1)));
    return Array.from({ length: tiles * tiles }, (_, tile) => {
      const start = [first, left[0] + x * Math.floor(tile / tiles), left[1] + y * (tile % tiles)] as const;
      return { start, size: [slices, x, y] as const };
    });
  }).flat();
}
