import { UnimissError } from '../../protocol/errors.ts';
import { limits } from './formats/limits.ts';
import type { Volume } from './types.ts';

/** Spacing of the paper's CT, mm, [slice, x, y]. */
export const paperSpacing = [3, 1, 1] as const;

/** Spacings that differ by less than this factor on every axis count as the same: 1.25 is still near. */
const tolerance = 1.25;

/** Whether the volume's spacing (mm) differs so much from the wanted one that it should be resampled. */
export function isFarFrom(spacing: Volume['spacing'], wanted: Volume['spacing']): boolean {
  return spacing.some((mm, axis) => Math.max(mm / wanted[axis]!, wanted[axis]! / mm) > tolerance);
}

/** The input positions whose weighted mean is one output position. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * Resamples a volume to another spacing (mm, [slice, x, y]), separably and linearly; the outer borders of the first and last
 * voxels stay in place. If an axis gets coarser, the triangle of the linear interpolation widens by the same factor, so that
 * details too fine for the new grid are averaged, not aliased. Integers are rounded.
 * @throws UnimissError('data') if the result would exceed `limits.voxels`
 */
export function resampleVolume(volume: Volume, spacing: Volume['spacing']): Volume {
  const shape = volume.shape.map((n, axis) => Math.max(1, Math.round((n * volume.spacing[axis]!) / spacing[axis]!)));
  if (shape[0]! * shape[1]! * shape[2]! > limits.voxels) {
    const [from, to] = [volume.spacing, spacing].map((mm) => mm.map((x) => +x.toFixed(3)).join('×'));
    throw new UnimissError('data', `would have ${shape.join('×')} voxels after resampling from ${from} to ${to} mm`, {
      remedy: 'Check the spacing in its header, or set `data.resample` to false.',
    });
  }
  let data: Int16Array | Float32Array = volume.data;
  const current = [...volume.shape];
  // Axes that shrink most come first, which leaves less work for the others.
  const axes = [0, 1, 2].sort((a, b) => shape[a]! / current[a]! - shape[b]! / current[b]!);
  for (const axis of axes) {
    if (shape[axis] === current[axis]) continue;
    data = resampleAxis(data, current, axis, linearTaps(current[axis]!, shape[axis]!));
    current[axis] = shape[axis]!;
  }
  if (volume.data instanceof Int16Array && data instanceof Float32Array) {
    const integers = new Int16Array(data.length);
    for (let i = 0; i < data.length; i++) integers[i] = Math.round(data[i]!);
    data = integers;
  }
  return { kind: '3D', shape: [shape[0]!, shape[1]!, shape[2]!], data, spacing };
}

/** Weights of `to` outputs over `from` inputs that cover the same length; positions outside the borders get no weight. */
function linearTaps(from: number, to: number): Taps[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, o) => {
    const center = (o + 0.5) * scale - 0.5;
    const first = Math.max(0, Math.ceil(center - support));
    const last = Math.min(from - 1, Math.floor(center + support));
    const raw = Array.from({ length: last - first + 1 }, (_, t) =>
      Math.max(0, 1 - Math.abs(first + t - center) / support),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, weights: raw.map((w) => w / sum) };
  });
}

function resampleAxis(
  data: Int16Array | Float32Array,
  shape: readonly number[],
  axis: number,
  taps: readonly Taps[],
): Float32Array {
  const length = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = data.length / (length * inner);
  const out = new Float32Array(outer * taps.length * inner);
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < taps.length; j++) {
      const { first, weights } = taps[j]!;
      const to = (o * taps.length + j) * inner;
      for (let t = 0; t < weights.length; t++) {
        const weight = weights[t]!;
        const from = (o * length + first + t) * inner;
        for (let i = 0; i < inner; i++) out[to + i]! += weight * data[from + i]!;
      }
    }
  }
  return out;
}
