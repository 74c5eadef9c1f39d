import type { Volume } from '../types.ts';
import { imageError } from './imageError.ts';
import { placesOf, type Walk } from './orientation.ts';

/** Voxels as a file stores them, i fastest, in the byte order of this machine. */
export type StoredVoxels =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** value = slope · stored + intercept. */
export interface Scaling {
  readonly slope: number;
  readonly intercept: number;
}

/** Integer labels of a volume, in the axes of `arrayAxes`: 8 bits where no value needs more. */
export type LabelData = Uint8Array | Int16Array;

/** How far a label may be from a whole number, for files that scale their values. */
const integerTolerance = 1e-4;
const labelRange = [-32768, 32767] as const;

/** Calls `use` with the index of each output voxel, in the order of the output, and that of the stored one. */
function walkThrough(walk: Walk, use: (out: number, stored: number) => void): void {
  const [depth, rows, columns] = walk.shape;
  const [sliceStep, rowStep, columnStep] = walk.steps;
  let o = 0;
  for (let d = 0; d < depth; d++) {
    for (let r = 0; r < rows; r++) {
      let p = walk.start + d * sliceStep + r * rowStep;
      for (let c = 0; c < columns; c++, p += columnStep) use(o++, p);
    }
  }
}

/**
 * Brings stored voxels to the axes of a walk. int8, uint8 and int16 that need no scaling stay integers (Int16Array), everything else
 * becomes Float32Array.
 * @throws UnimissError('data') where a value is NaN or infinite, also beyond float32
 */
export function arrangeVoxels(
  path: string,
  voxels: StoredVoxels,
  scaling: Scaling,
  walk: Walk,
): Int16Array | Float32Array {
  const small = voxels instanceof Int16Array || voxels instanceof Int8Array || voxels instanceof Uint8Array;
  const arranger = new VoxelArranger(path, { small, scaling, walk });
  arranger.add(voxels);
  return arranger.finish();
}

/** As `arrangeVoxels`, for voxels that come piece by piece in the order of the file: there is never more than one copy of a volume. */
export class VoxelArranger {
  private readonly out: Int16Array | Float32Array;
  private readonly places;
  /** Voxels along i and j. */
  private readonly columns: number;
  private readonly rows: number;
  private done = 0;

  /** @param small whether the stored numbers are int8, uint8 or int16 */
  constructor(
    private readonly path: string,
    private readonly of: { readonly small: boolean; readonly scaling: Scaling; readonly walk: Walk },
  ) {
    const { small, walk } = of;
    const { slope, intercept } = of.scaling;
    const count = walk.shape[0] * walk.shape[1] * walk.shape[2];
    this.out = small && slope === 1 && intercept === 0 ? new Int16Array(count) : new Float32Array(count);
    this.places = placesOf(walk);
    const along = (stored: number) => walk.shape[walk.sources.indexOf(stored) as 0 | 1 | 2];
    [this.columns, this.rows] = [along(0), along(1)];
  }

  add(voxels: StoredVoxels): void {
    const { out, columns, rows } = this;
    const { start, steps } = this.places;
    const { slope, intercept } = this.of.scaling;
    for (let v = 0; v < voxels.length; ) {
      const i = this.done % columns;
      const row = Math.floor(this.done / columns);
      const count = Math.min(columns - i, voxels.length - v);
      let o = start + i * steps[0] + (row % rows) * steps[1] + Math.floor(row / rows) * steps[2];
      for (const end = v + count; v < end; v++, o += steps[0]) out[o] = Number(voxels[v]!) * slope + intercept;
      this.done += count;
    }
  }

  /** @throws UnimissError('data') where a value is NaN or infinite, also beyond float32 */
  finish(): Int16Array | Float32Array {
    if (this.out instanceof Float32Array) refuseNonFinite(this.path, this.out, this.of.walk.shape);
    return this.out;
  }
}

/** NaN and infinite values (also those beyond float32) make a volume useless: one of them spreads through the whole network. */
function refuseNonFinite(path: string, data: Float32Array, shape: Volume['shape']): void {
  let count = 0;
  let first = -1;
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i]!)) {
      if (count++ === 0) first = i;
    }
  }
  if (count === 0) return;
  throw imageError(path, `has ${count} voxels that are NaN or infinite (the first at ${placeOf(first, shape)})`, {
    remedy: 'Replace them, for example by -1024 (air), or take the file out.',
  });
}

function placeOf(index: number, [, rows, columns]: Volume['shape']): string {
  const at = [Math.floor(index / (rows * columns)), Math.floor(index / columns) % rows, index % columns];
  return `slice ${at[0]}, row ${at[1]}, column ${at[2]}`;
}

/**
 * Brings stored labels to the axes of a walk, as integers.
 * @throws UnimissError('data') where a value is NaN, no whole number, or beyond 16 bits
 */
export function arrangeLabels(
  path: string,
  voxels: StoredVoxels,
  { slope, intercept }: Scaling,
  walk: Walk,
): LabelData {
  let [low, high] = [0, 0];
  const out = new Int16Array(voxels.length);
  walkThrough(walk, (o, p) => {
    const value = Number(voxels[p]!) * slope + intercept;
    const label = Math.round(value);
    if (!(Math.abs(value - label) <= integerTolerance) || label < labelRange[0] || label > labelRange[1])
      throw badLabel(path, value, placeOf(o, walk.shape));
    if (label < low) low = label;
    if (label > high) high = label;
    out[o] = label;
  });
  return low >= 0 && high <= 255 ? Uint8Array.from(out) : out;
}

function badLabel(path: string, value: number, place: string): Error {
  if (Number.isInteger(value))
    return imageError(path, `has the label ${value} at ${place}; labels may be from ${labelRange.join(' to ')}`, {
      remedy: 'Give the labels smaller numbers.',
    });
  const what = Number.isFinite(value)
    ? `${+value.toPrecision(6)}, which is no whole number,`
    : 'NaN or an infinite value';
  return imageError(path, `has ${what} at ${place}, so it holds no labels`, {
    remedy: 'Give a volume of whole numbers: one of probabilities, or one resampled linearly, is none.',
  });
}
