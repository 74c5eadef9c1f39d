import { cutOut, paddedCuboid } from './augment/crop3D.ts';
import { resizedCrop } from './augment/resizedCrop.ts';
import { resizeSlices } from './augment/resizeSlices.ts';
import { intensityScale } from './augment/views3D.ts';
import type { Image2D, Volume } from './types.ts';

/** Windows of a long volume that are looked at: enough for a whole CT at 16 slices each. */
const MOST_WINDOWS = 16;

/**
 * An image as it is, for features: the largest centred part with the view's aspect ratio, resized (bicubic), values 0–1.
 * @returns [height, width, 3]
 */
export function plainView2D(image: Image2D, [height, width]: readonly [number, number]): Float32Array {
  const scale = Math.min(image.height / height, image.width / width);
  const box = {
    height: Math.max(1, Math.round(height * scale)),
    width: Math.max(1, Math.round(width * scale)),
    top: 0,
    left: 0,
  };
  box.top = Math.floor((image.height - box.height) / 2);
  box.left = Math.floor((image.width - box.width) / 2);
  return Float32Array.from(resizedCrop(image, box, height, width), (v) => v / 255);
}

/**
 * A volume as it is, for features: windows of consecutive slices that cover it evenly (one where it has no more slices than a view;
 * it is padded with 0 HU where it has fewer), the largest centred part of the plane with the view's aspect ratio, resized
 * (bilinear), HU / 1024.
 * @returns each [slices, height, width]
 */
export function plainViews3D(
  volume: Volume,
  [slices, height, width]: readonly [number, number, number],
): Float32Array[] {
  const within = paddedCuboid(volume.shape, [slices, 1, 1]);
  const spare = within.size[0] - slices;
  const count = Math.min(MOST_WINDOWS, Math.ceil(within.size[0] / slices));
  const scale = Math.min(volume.shape[1] / height, volume.shape[2] / width);
  const x = Math.max(1, Math.round(height * scale));
  const y = Math.max(1, Math.round(width * scale));
  return Array.from({ length: count }, (_, i) => {
    const first = within.start[0] + (count === 1 ? Math.floor(spare / 2) : Math.round((spare * i) / (count - 1)));
    const start = [first, Math.floor((volume.shape[1] - x) / 2), Math.floor((volume.shape[2] - y) / 2)] as const;
    const cut = cutOut(volume, { start, size: [slices, x, y] }, intensityScale);
    return resizeSlices(cut, [slices, x, y], height, width);
  });
}
