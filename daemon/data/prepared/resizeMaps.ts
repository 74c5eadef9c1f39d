import type { Size3 } from './types.ts';

/** The input positions whose weighted mean is one output position. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** Interpolation along an axis. */
export type Interpolation = 'linear' | 'cubic';

/** Half the width of each kernel, and the kernel: the triangle, and Keys' cubic with a = −1/2 (1981). */
const kernels: Readonly<Record<Interpolation, { support: number; at: (distance: number) => number }>> = {
  linear: { support: 1, at: (t) => Math.max(0, 1 - Math.abs(t)) },
  cubic: {
    support: 2,
    at: (distance) => {
      const t = Math.abs(distance);
      if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
      return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
    },
  },
};

/** Weights of `to` outputs over `from` inputs that cover the same length; the kernel is widened where the axis shrinks. */
function tapsOf(from: number, to: number, interpolation: Interpolation): Taps[] {
  const { support, at } = kernels[interpolation];
  const scale = from / to;
  const stretch = Math.max(1, scale);
  return Array.from({ length: to }, (_, o) => {
    const center = (o + 0.5) * scale - 0.5;
    const first = Math.max(0, Math.ceil(center - support * stretch));
    const last = Math.min(from - 1, Math.floor(center + support * stretch));
    const raw = Array.from({ length: last - first + 1 }, (_, t) => at((first + t - center) / stretch));
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, weights: raw.map((w) => w / sum) };
  });
}

/**
 * Resizes one channel [D, H, W] of an image, separably; the outer borders stay where they are. Where an axis shrinks, what is too
 * fine for the new grid is averaged away. Cubic values stay within the range of the image.
 * @param interpolation for each axis
 */
export function resizeImage(
  values: Float32Array,
  from: Size3,
  to: Size3,
  interpolation: readonly [Interpolation, Interpolation, Interpolation],
): Float32Array {
  let data = values;
  const current = [...from];
  // Axes that shrink most come first: that leaves less work for the others.
  const axes = [0, 1, 2].sort((a, b) => to[a]! / from[a]! - to[b]! / from[b]!);
  for (const axis of axes) {
    if (to[axis] === current[axis]) continue;
    data = resizeAxis(data, current, axis, tapsOf(current[axis]!, to[axis]!, interpolation[axis]!));
    current[axis] = to[axis]!;
  }
  if (data === values) return values.slice();
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  for (let i = 0; i < data.length; i++) data[i] = Math.min(Math.max(data[i]!, low), high);
  return data;
}

function resizeAxis(data: Float32Array, shape: readonly number[], axis: number, taps: readonly Taps[]): Float32Array {
  const length = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = data.length / (length * inner);
  const out = new Float32Array(outer * taps.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [j, { first, weights }] of taps.entries()) {
      const to = (o * taps.length + j) * inner;
      for (let t = 0; t < weights.length; t++) {
        const weight = weights[t]!;
        const start = (o * length + first + t) * inner;
        for (let i = 0; i < inner; i++) out[to + i] = out[to + i]! + weight * data[start + i]!;
      }
    }
  }
  return out;
}

/**
 * Resizes one map [D, H, W] of labels: a voxel gets the label with the most weight in a linear interpolation of each label's mask
 * (ties: the smaller number), so that no label arises that was not there.
 */
export function resizeLabels(labels: Uint8Array, from: Size3, to: Size3): Uint8Array {
  if (from.every((n, axis) => n === to[axis])) return labels.slice();
  const [slices, rows, columns] = [0, 1, 2].map((axis) => tapsOf(from[axis]!, to[axis]!, 'linear')) as [
    Taps[],
    Taps[],
    Taps[],
  ];
  const [, height, width] = from;
  const out = new Uint8Array(to[0] * to[1] * to[2]);
  const weights = new Float64Array(256);
  let index = 0;
  for (const slice of slices)
    for (const row of rows)
      for (const column of columns) {
        const corner = (slice.first * height + row.first) * width + column.first;
        const first = labels[corner]!;
        let same = true;
        for (let z = 0; same && z < slice.weights.length; z++)
          for (let y = 0; same && y < row.weights.length; y++)
            for (let x = 0; x < column.weights.length; x++)
              if (labels[corner + (z * height + y) * width + x] !== first) {
                same = false;
                break;
              }
        out[index++] = same ? first : heaviest(labels, corner, [slice, row, column], from, weights);
      }
  return out;
}

function heaviest(
  labels: Uint8Array,
  corner: number,
  [slice, row, column]: readonly [Taps, Taps, Taps],
  [, height, width]: Size3,
  weights: Float64Array,
): number {
  const seen: number[] = [];
  for (const [z, wz] of slice.weights.entries())
    for (const [y, wy] of row.weights.entries())
      for (const [x, wx] of column.weights.entries()) {
        const label = labels[corner + (z * height + y) * width + x]!;
        if (weights[label] === 0 && !seen.includes(label)) seen.push(label);
        weights[label] = weights[label]! + wz * wy * wx;
      }
  let best = seen[0]!;
  for (const label of seen) {
    const ahead = weights[label]! - weights[best]!;
    if (ahead > 1e-9 || (ahead > -1e-9 && label < best)) best = label;
  }
  for (const label of seen) weights[label] = 0;
  return best;
}
