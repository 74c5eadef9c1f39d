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

/** Values of an image as they are stored: whole numbers stay small. */
export type ImageValues = Int16Array | Float32Array;

/** Values that are converted and resized at a time, at least one index of an axis. */
const slabVoxels = 2 ** 22;

/**
 * Resizes one channel [D, H, W] of an image, separably; the outer borders stay where they are. Where an axis shrinks, what is too
 * fine for the new grid is averaged away. Cubic values stay within the range of the image. The image is gone through slab by slab along the
 * axis that is resized last, so that beside image and result there is never more than a slab.
 * @param interpolation for each axis
 */
export function resizeImage(
  values: ImageValues,
  from: Size3,
  to: Size3,
  interpolation: readonly [Interpolation, Interpolation, Interpolation],
): Float32Array {
  // Axes that shrink most come first: that leaves less work for the others.
  const axes = ([0, 1, 2] as const)
    .filter((axis) => to[axis] !== from[axis])
    .sort((a, b) => to[a] / from[a] - to[b] / from[b]);
  const last = axes.pop();
  if (last === undefined) return Float32Array.from(values);
  const early = axes.map((axis) => ({ axis, taps: tapsOf(from[axis], to[axis], interpolation[axis]) }));
  const late = tapsOf(from[last], to[last], interpolation[last]);
  const out = new Float32Array(to[0] * to[1] * to[2]);
  const atOnce = Math.max(1, Math.floor((slabVoxels * from[last]) / (from[0] * from[1] * from[2])));
  let range: Range = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let first = 0; first < from[last]; first += atOnce) {
    const end = Math.min(from[last], first + atOnce);
    let slab = cutSlab(values, from, last, first, end);
    range = rangeOf(slab, range);
    const shape: [number, number, number] = [...from];
    shape[last] = end - first;
    for (const { axis, taps } of early) {
      slab = resizeAxis(slab, shape, axis, taps);
      shape[axis] = to[axis];
    }
    addTaps(slab, { shape, axis: last, begins: first }, late, out);
  }
  const [low, high] = range;
  for (let i = 0; i < out.length; i++) out[i] = Math.min(Math.max(out[i]!, low), high);
  return out;
}

type Range = readonly [low: number, high: number];

function rangeOf(values: Float32Array, [low, high]: Range): Range {
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** The indices [first, end) of an axis. */
function cutSlab(values: ImageValues, size: Size3, axis: 0 | 1 | 2, first: number, end: number): Float32Array {
  const inner = size.slice(axis + 1).reduce((a, b) => a * b, 1);
  const [whole, part] = [size[axis] * inner, (end - first) * inner];
  const out = new Float32Array((values.length / whole) * part);
  for (let o = 0, at = first * inner; at < values.length; o += part, at += whole)
    out.set(values.subarray(at, at + part), o);
  return out;
}

function resizeAxis(data: Float32Array, shape: readonly number[], axis: number, taps: readonly Taps[]): Float32Array {
  const out = new Float32Array((data.length / shape[axis]!) * taps.length);
  addTaps(data, { shape, axis, begins: 0 }, taps, out);
  return out;
}

/** Adds to `out` what the indices of an axis that `data` holds, from `begins`, contribute. */
function addTaps(
  data: Float32Array,
  { shape, axis, begins }: { readonly shape: readonly number[]; readonly axis: number; readonly begins: number },
  taps: readonly Taps[],
  out: Float32Array,
): void {
  const length = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = data.length / (length * inner);
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < taps.length; j++) {
      const { first, weights } = taps[j]!;
      const to = (o * taps.length + j) * inner;
      const end = Math.min(weights.length, begins + length - first);
      for (let t = Math.max(0, begins - first); t < end; t++) {
        const weight = weights[t]!;
        const start = (o * length + first - begins + t) * inner;
        for (let i = 0; i < inner; i++) out[to + i] = out[to + i]! + weight * data[start + i]!;
      }
    }
  }
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
