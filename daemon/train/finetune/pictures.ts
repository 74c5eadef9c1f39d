import type { Size3 } from '../../data/prepared/types.ts';
import type { Picture } from '../training.ts';

/** Slices of a volume that a picture shows, side by side. */
export const shownSlices = 16;

/** Colours of classes: Tableau's ten, which can be told apart; then they repeat. */
const colors = [
  ...[0x4e79a7, 0xf28e2b, 0xe15759, 0x76b7b2, 0x59a14f],
  ...[0xedc948, 0xb07aa1, 0xff9da7, 0x9c755f, 0xbab0ac],
].map((rgb) => [rgb >> 16, (rgb >> 8) & 255, rgb & 255] as const);
/** Share of a class's colour over the image. */
const opacity = 0.55;

/** Numbers of the slices that are shown: evenly spaced. */
function slicesOf(depth: number): number[] {
  const step = Math.ceil(depth / shownSlices);
  return Array.from({ length: Math.ceil(depth / step) }, (_, i) => Math.min(depth - 1, i * step + (step >> 1)));
}

/**
 * An image as the network sees it, [D, H, W, C], from its smallest value (black) to its largest: RGB, slices side by side.
 * Of channels other than three the first is shown. With labels, classes are coloured.
 * @param labels classes or bits of classes, [D, H, W]
 */
export function pictureOf(
  values: Float32Array,
  size: Size3,
  labels?: { readonly data: Int32Array; readonly overlapping: boolean },
): Picture {
  const [depth, height, width] = size;
  const channels = values.length / (depth * height * width);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = high > low ? 255 / (high - low) : 0;
  const slices = slicesOf(depth);
  const data = new Uint8Array(slices.length * height * width * 3);
  for (const [place, z] of slices.entries())
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const voxel = (z * height + y) * width + x;
        const to = 3 * (y * slices.length * width + place * width + x);
        const color = labels && colorOf(labels.data[voxel]!, labels.overlapping);
        for (let c = 0; c < 3; c++) {
          const grey = (values[voxel * channels + (channels === 3 ? c : 0)]! - low) * scale;
          data[to + c] = color ? (1 - opacity) * grey + opacity * color[c]! : grey;
        }
      }
  return { width: slices.length * width, height, channels: 3, data };
}

/** The colour of a voxel's class (of several, the one with the lowest number); undefined for the background and what does not count. */
function colorOf(label: number, overlapping: boolean): readonly [number, number, number] | undefined {
  if (label <= 0) return undefined;
  const number = overlapping ? 31 - Math.clz32(label & -label) : label - 1;
  return colors[number % colors.length];
}
