import { encode } from 'fast-png';
import type { Size3 } from '../../../data/prepared/types.ts';
import { writeAtomically } from '../../../files/atomic.ts';
import { privateMode } from './writeLabels.ts';

export interface PreviewSource {
  /** A picture has one slice. */
  readonly size: Size3;
  /** mm, [slice, row, column]; null: as if voxels were cubes. */
  readonly spacing: readonly [number, number, number] | null;
  /** Grey values, [D, H, W]. */
  readonly image: ArrayLike<number>;
  /** As `LabelMapsOfImage`. */
  readonly maps: readonly ArrayLike<number>[];
  readonly exclusive: boolean;
}

/** An RGB picture. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] */
  readonly data: Uint8Array;
}

/** Pixels that the longer side of a plane has, at least and at most. */
const [fewest, most] = [256, 384];
/** Pixels between planes. */
const gap = 6;
/** Share of the label's colour. */
const opacity = 0.45;

/**
 * Planes of a volume through what is labelled, side by side: axial as radiologists see it, coronal and sagittal with the head at the top.
 * Each is the slice with most labelled voxels along its axis (the middle where nothing is labelled). A picture is one plane.
 */
export function previewPicture(source: PreviewSource): Picture {
  const { size } = source;
  const axes = size[0] > 1 ? ([0, 1, 2] as const) : ([0] as const);
  const slices = fullestSlices(source);
  const range = greyRange(source.image);
  const planes = axes.map((axis) => drawPlane(source, axis, slices[axis], range));
  const height = Math.max(...planes.map((plane) => plane.height));
  const width = planes.reduce((sum, plane) => sum + plane.width, 0) + gap * (planes.length - 1);
  const data = new Uint8Array(3 * width * height);
  let left = 0;
  for (const plane of planes) {
    const top = (height - plane.height) >> 1;
    for (let y = 0; y < plane.height; y++)
      data.set(plane.data.subarray(3 * y * plane.width, 3 * (y + 1) * plane.width), 3 * ((top + y) * width + left));
    left += plane.width + gap;
  }
  return { width, height, data };
}

/** Writes a preview as PNG. */
export async function writePreview(path: string, source: PreviewSource): Promise<string> {
  const { width, height, data } = previewPicture(source);
  const png = encode({ width, height, data, channels: 3, depth: 8 });
  await writeAtomically(path, (handle) => handle.writeFile(png), { mode: privateMode });
  return path;
}

/** The index along each axis of the slice with most labelled voxels. */
function fullestSlices({ size, maps }: PreviewSource): [number, number, number] {
  const counts = size.map((n) => new Float64Array(n)) as [Float64Array, Float64Array, Float64Array];
  for (const map of maps)
    for (let z = 0, voxel = 0; z < size[0]; z++)
      for (let y = 0; y < size[1]; y++)
        for (let x = 0; x < size[2]; x++, voxel++) {
          if (map[voxel] === 0) continue;
          counts[0][z]!++;
          counts[1][y]!++;
          counts[2][x]!++;
        }
  const fullest = (of: Float64Array) => {
    const voxels = Math.max(...of);
    return voxels === 0 ? of.length >> 1 : of.indexOf(voxels);
  };
  return [fullest(counts[0]), fullest(counts[1]), fullest(counts[2])];
}

/** Grey values that become black and white: percentiles 1 and 99 of a sample. */
function greyRange(image: ArrayLike<number>): readonly [number, number] {
  const step = Math.max(1, Math.floor(image.length / 100_000));
  const sample = Float64Array.from({ length: Math.ceil(image.length / step) }, (_, i) => image[i * step]!).sort();
  const low = sample[Math.floor(0.01 * (sample.length - 1))] ?? 0;
  const high = sample[Math.ceil(0.99 * (sample.length - 1))] ?? 1;
  return high > low ? [low, high] : [low, low + 1];
}

/** A plane across an axis, its pixels square in mm. */
function drawPlane(
  { size, spacing, image, maps, exclusive }: PreviewSource,
  axis: 0 | 1 | 2,
  slice: number,
  [low, high]: readonly [number, number],
): Picture {
  const [down, along] = axis === 0 ? [1, 2] : axis === 1 ? [0, 2] : [0, 1];
  const lengths = [0, 1, 2].map((a) => size[a]! * (spacing?.[a] ?? 1));
  const finest = Math.min(spacing?.[down!] ?? 1, spacing?.[along!] ?? 1);
  const longer = Math.max(lengths[down!]!, lengths[along!]!);
  const scale = Math.min(Math.max(1 / finest, fewest / longer), most / longer);
  const [height, width] = [down!, along!].map((a) => Math.max(1, Math.round(lengths[a]! * scale))) as [number, number];
  const strides = [size[1] * size[2], size[2], 1] as const;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, at = 0; y < height; y++) {
    const row = slice * strides[axis] + Math.floor(((y + 0.5) * size[down!]!) / height) * strides[down!]!;
    for (let x = 0; x < width; x++, at += 3) {
      const voxel = row + Math.floor(((x + 0.5) * size[along!]!) / width) * strides[along!]!;
      const grey = 255 * Math.min(1, Math.max(0, (image[voxel]! - low) / (high - low)));
      let [r, g, b] = [grey, grey, grey];
      for (const [m, map] of maps.entries()) {
        const label = map[voxel]!;
        if (label === 0) continue;
        const color = classColor(exclusive ? label : m + 1);
        [r, g, b] = [r, g, b].map((value, c) => value * (1 - opacity) + color[c]! * opacity) as [
          number,
          number,
          number,
        ];
      }
      data.set([r, g, b], at);
    }
  }
  return { width, height, data };
}

const colors = new Map<number, readonly [number, number, number]>();

/** The colour of a class, from 1: hues by the golden angle, so that neighbours differ most. */
export function classColor(k: number): readonly [number, number, number] {
  const known = colors.get(k);
  if (known) return known;
  const hue = (k * 137.508) % 360;
  const light = 0.5 + 0.12 * ((k % 3) - 1);
  const channel = (shift: number) => {
    const at = (shift + hue / 30) % 12;
    return Math.round(255 * (light - Math.min(light, 1 - light) * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  const color = [channel(0), channel(8), channel(4)] as const;
  colors.set(k, color);
  return color;
}
