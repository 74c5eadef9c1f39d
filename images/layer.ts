import { basename } from 'node:path';
import { readLabelMap } from '../daemon/data/formats/labelMap.ts';
import type { StoredGrid } from '../daemon/data/formats/storedVolume.ts';
import { UnimissError } from '../protocol/errors.ts';
import { applyMap, type ImageGeometry, inverseMap, type PlaneName, planeAxes } from '../protocol/viewer/geometry.ts';
import type { LayerContent } from '../protocol/viewer/layers.ts';
import { type CutPlane, cutPlane, planeWalk } from './cutPlane.ts';
import { pictureGeometry } from './geometry.ts';
import { countLabels, labelInfos } from './labelCounts.ts';
import { namesFromDataset } from './labelNames.ts';
import type { VoxelStore } from './voxelStore.ts';

/** A volume that is drawn over another one. */
export interface Layer {
  readonly path: string;
  readonly name: string;
  readonly content: LayerContent;
  readonly notices: readonly string[];
  readonly geometry: ImageGeometry;
  /** Where its voxels lie in the file; undefined over a picture. */
  readonly grid?: StoredGrid;
  readonly store: VoxelStore;
  /** Its voxels lie exactly on those of the image. */
  readonly sameGrid: boolean;
}

/** How far, in voxels of the image, the voxels of two grids may differ for being the same. */
const tolerance = 0.05;

/**
 * Labels over a picture, pixel by pixel.
 * @throws UnimissError('data') naming file and reason: also where they have another size, since a picture has no place
 */
export async function makePictureLayer(path: string, { shape }: ImageGeometry, values: boolean): Promise<Layer> {
  const { shape: own, data, names } = await readLabelMap(path);
  const [slices, height, width] = own;
  if (slices !== 1 || height !== shape[1] || width !== shape[2])
    throw new UnimissError('data', `has ${sizeText(own)}, and the picture ${sizeText(shape)}`, {
      place: path,
      remedy: 'Labels of a picture need a value for each of its pixels.',
    });
  const geometry = pictureGeometry(width, height);
  const store: VoxelStore = {
    ...{ size: [width, height, 1], voxels: data, scaling: { slope: 1, intercept: 0 } },
    ...{ available: data.length, failure: undefined },
  };
  const counts = values ? undefined : countLabels(store);
  const known = names ?? (await namesFromDataset(path));
  const content: LayerContent = counts
    ? { kind: 'labels', labels: labelInfos(counts, geometry, known) }
    : { kind: 'values', range: rangeOf(store) };
  return { path, name: basename(path), content, notices: [], geometry, store, sameGrid: true };
}

function sizeText([slices, height, width]: readonly number[]): string {
  return slices === 1 ? `${width} × ${height} pixels` : `${width} × ${height} × ${slices} voxels`;
}

/**
 * @param base where the voxels of the image lie
 * @param values whether its numbers are values, even if they are few
 */
export async function makeLayer(
  path: string,
  base: ImageGeometry,
  { grid, store, geometry }: { grid: StoredGrid; store: VoxelStore; geometry: ImageGeometry },
  values = false,
): Promise<Layer> {
  if (!base.toMillimeters || !geometry.toMillimeters)
    throw new UnimissError('data', 'is a volume, and the image is a picture', { place: path });
  const counts = values ? undefined : countLabels(store);
  const own = grid.labelNames ?? new Map<number, string>();
  const names = counts && own.size === 0 ? await namesFromDataset(path) : own;
  const content: LayerContent = counts
    ? { kind: 'labels', labels: labelInfos(counts, geometry, names) }
    : { kind: 'values', range: rangeOf(store) };
  const sameGrid = isSameGrid(base, geometry);
  const notices = sameGrid ? [] : ['lies in another grid than the image; of each voxel the nearest one is shown'];
  // The page knows the image's own axes: what it jumps to has to be among them.
  const placed = sameGrid || content.kind !== 'labels' ? content : inGridOf(base, geometry, content);
  return { path, name: basename(path), content: placed, notices, geometry, grid, store, sameGrid };
}

function isSameGrid(a: ImageGeometry, b: ImageGeometry): boolean {
  if (a.shape.some((n, axis) => n !== b.shape[axis])) return false;
  const smallest = Math.min(...a.spacing);
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((n) =>
    [n & 1, (n >> 1) & 1, (n >> 2) & 1].map((bit, axis) => bit * (a.shape[axis as 0 | 1 | 2] - 1)),
  );
  return corners.every((corner) => {
    const [one, two] = [a, b].map(({ toMillimeters }) => applyMap(toMillimeters ?? [], corner));
    return Math.hypot(...(one ?? []).map((mm, axis) => mm - (two?.[axis] ?? 0))) < tolerance * smallest;
  });
}

function inGridOf(base: ImageGeometry, own: ImageGeometry, content: LayerContent & { kind: 'labels' }): LayerContent {
  const map = between(own, base);
  const labels = content.labels.map((label) => {
    const [s = 0, r = 0, c = 0] = applyMap(map, label.largest).map((value, axis) =>
      Math.max(0, Math.min(base.shape[axis as 0 | 1 | 2] - 1, Math.round(value))),
    );
    return { ...label, largest: [s, r, c] as const };
  });
  return { kind: 'labels', labels };
}

/** The map from places of one image to those of another, by way of millimetres. */
function between(from: ImageGeometry, to: ImageGeometry): number[][] {
  const back = to.toMillimeters ? inverseMap(to.toMillimeters) : [];
  const forth = from.toMillimeters ?? [];
  return back.map((row) =>
    [0, 1, 2, 3].map((column) => {
      const sum = [0, 1, 2].reduce((total, k) => total + (row[k] ?? 0) * (forth[k]?.[column] ?? 0), 0);
      return column === 3 ? sum + (row[3] ?? 0) : sum;
    }),
  );
}

/** A plane of the layer, on the pixels of the image's plane; outside of the layer there is 0 (labels) or NaN (values). */
export function cutLayer(layer: Layer, base: ImageGeometry, plane: PlaneName, index: number): CutPlane {
  const { store, geometry } = layer;
  if (layer.sameGrid) return cutPlane(store, planeWalk(geometry, store.size, plane, index));
  const { across, down, through } = planeAxes[plane];
  const [width, height] = [base.shape[across], base.shape[down]];
  const map = between(base, geometry);
  const place: [number, number, number] = [0, 0, 0];
  place[through] = index;
  const start = applyMap(map, place);
  const step = (axis: 0 | 1 | 2) => map.map((row) => row[axis] ?? 0);
  const [acrossStep, downStep] = [step(across), step(down)];
  const strides = ([0, 1, 2] as const).map((output) => {
    const { axis = 0, reversed = false } = geometry.stored[output] ?? {};
    const stride = [1, store.size[0], store.size[0] * store.size[1]][axis] ?? 0;
    return { stride: reversed ? -stride : stride, first: reversed ? stride * (geometry.shape[output] - 1) : 0 };
  });
  const first = strides.reduce((sum, one) => sum + one.first, 0);
  const outside = layer.content.kind === 'labels' ? 0 : Number.NaN;
  const numbers = new Float32Array(width * height).fill(outside);
  const { slope, intercept } = store.scaling;
  const [sx = 0, rx = 0, cx = 0] = acrossStep;
  const [sy = 0, ry = 0, cy = 0] = downStep;
  const [s0 = 0, r0 = 0, c0 = 0] = start;
  const [ns, nr, nc] = geometry.shape;
  const [ss = 0, rs = 0, cs = 0] = strides.map(({ stride }) => stride);
  for (let y = 0, o = 0; y < height; y++)
    for (let x = 0; x < width; x++, o++) {
      const s = Math.round(s0 + sx * x + sy * y);
      const r = Math.round(r0 + rx * x + ry * y);
      const c = Math.round(c0 + cx * x + cy * y);
      if (s < 0 || r < 0 || c < 0 || s >= ns || r >= nr || c >= nc) continue;
      numbers[o] = Number(store.voxels[first + s * ss + r * rs + c * cs]) * slope + intercept;
    }
  return { width, height, kind: 'float32', numbers, slope: 1, intercept: 0, complete: true };
}

function rangeOf({ voxels, scaling }: VoxelStore): { low: number; high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let p = 0; p < voxels.length; p++) {
    const value = Number(voxels[p]) * scaling.slope + scaling.intercept;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  // Probabilities are shown from 0 to 1, whichever of them occur.
  return low < high && (low < 0 || high > 1) ? { low, high } : { low: 0, high: 1 };
}
