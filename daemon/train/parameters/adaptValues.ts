import type { Modality } from '../../../protocol/modality.ts';
import { resizeMatrix } from '../../model/positions.ts';
import type { PositionGrid } from './positionGrids.ts';

/**
 * Position embeddings for another grid, one axis after the other (model/positions.ts). The class token's row stays, is dropped where the
 * network has none, and is that of `fresh` where only the network has one.
 * @param values [1, rows, C] of the file
 * @param fresh [1, rows, C] of the network
 */
export function resizePerAxis(
  values: Float32Array,
  from: PositionGrid,
  to: { grid: readonly number[]; modality: Modality; channels: number; fresh: () => Float32Array },
): Float32Array {
  const { grid, modality, channels } = to;
  let patches = values.subarray(from.classTokens * channels);
  grid.forEach((target, axis) => {
    const source = from.grid[axis] ?? 0;
    if (source === target) return;
    const before = product(grid.slice(0, axis));
    const after = product(from.grid.slice(axis + 1)) * channels;
    patches = alongAxis(patches, resizeMatrix(modality, source, target), { before, source, target, after });
  });
  const size = product(grid) * channels;
  const fresh = to.fresh();
  const result = new Float32Array(fresh.length);
  const own = result.length - size;
  if (own > 0) result.set((from.classTokens === 1 ? values : fresh).subarray(0, own));
  result.set(patches, own);
  return result;
}

/** out [before, target, after] = matrix [target, source] on x [before, source, after]. */
function alongAxis(
  x: Float32Array,
  matrix: Float32Array,
  { before, source, target, after }: { before: number; source: number; target: number; after: number },
): Float32Array {
  const out = new Float32Array(before * target * after);
  for (let b = 0; b < before; b++)
    for (let t = 0; t < target; t++)
      for (let s = 0; s < source; s++) {
        const weight = matrix[t * source + s] ?? 0;
        if (weight === 0) continue;
        const [to, from] = [(b * target + t) * after, (b * source + s) * after];
        for (let i = 0; i < after; i++) out[to + i] = (out[to + i] ?? 0) + weight * (x[from + i] ?? 0);
      }
  return out;
}

/**
 * The reference's way: rows are zoomed linearly along the flattened tokens, class token included, end to end (SciPy's `ndimage.zoom` of
 * order 1). Neighbours across rows and slices mix.
 * @param values [1, rows, C]
 * @returns [1, target, C]
 */
export function zoomRows(values: Float32Array, target: number, channels: number): Float32Array {
  const rows = values.length / channels;
  const out = new Float32Array(target * channels);
  const step = target > 1 ? (rows - 1) / (target - 1) : 0;
  for (let row = 0; row < target; row++) {
    const x = row * step;
    const low = Math.min(Math.floor(x), rows - 1);
    const high = Math.min(low + 1, rows - 1);
    const share = x - low;
    for (let c = 0; c < channels; c++)
      out[row * channels + c] =
        (1 - share) * (values[low * channels + c] ?? 0) + share * (values[high * channels + c] ?? 0);
  }
  return out;
}

/**
 * A stem's kernel for another number of channels: that for grey images (the sum over the file's channels) for each of ours, divided by
 * their number, so that equal channels give what the file's network gives. `repeated`: not divided, as in the reference.
 * @param values [out, from, …kernel]
 * @returns [out, to, …kernel]
 */
export function stemFor(
  values: Float32Array,
  { out, from, to, way }: { out: number; from: number; to: number; way: 'divided' | 'repeated' },
): Float32Array {
  const kernel = values.length / (out * from);
  const result = new Float32Array(out * to * kernel);
  for (let o = 0; o < out; o++)
    for (let k = 0; k < kernel; k++) {
      let grey = 0;
      for (let c = 0; c < from; c++) grey += values[(o * from + c) * kernel + k] ?? 0;
      for (let c = 0; c < to; c++) result[(o * to + c) * kernel + k] = way === 'divided' ? grey / to : grey;
    }
  return result;
}

function product(lengths: readonly number[]): number {
  return lengths.reduce((all, length) => all * length, 1);
}
