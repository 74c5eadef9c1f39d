import { UnimissError } from '../../../../../protocol/errors.ts';
import { readImage, readVolume } from '../../../formats/image.ts';
import { imageError } from '../../../formats/imageError.ts';
import { type LabelMap, readLabelMap } from '../../../formats/labelMap.ts';
import type { StoredGrid } from '../../../formats/storedVolume.ts';
import { imageDigest } from '../../../imageDigest.ts';
import { type Misplaced, misplacement } from '../../../prepared/misplacement.ts';
import type { Size3 } from '../../../prepared/types.ts';
import { Random } from '../../../random.ts';
import type { CaseMeasure, ChannelMeasure, FileMeasure, LabelMeasure, MeasureTask } from './caseMeasure.ts';

/** Values that a case contributes to the statistics of a channel, as in nnU-Net. */
export const sampleSize = 10_000;

/** A decoded file: its values by channel. */
interface Decoded {
  readonly file: FileMeasure;
  /** Absent for pictures. */
  readonly grid?: StoredGrid;
  /** Values of one channel lie `step` apart, from `start` on. */
  readonly channels: readonly { readonly values: ArrayLike<number>; readonly start: number; readonly step: number }[];
}

/** Reads all files of a case and measures them. What cannot be read is in `broken`; nothing is thrown for it. */
export async function measureCase(task: MeasureTask): Promise<CaseMeasure> {
  const { id, channels: paths } = task;
  const broken: { path: string; what: string; remedy?: string }[] = [];
  const attempt = async <T>(path: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof UnimissError) || error.code !== 'data') throw error;
      const { remedy } = error.details;
      broken.push({ path, what: error.what, ...(remedy !== undefined && { remedy }) });
      return undefined;
    }
  };
  const decoded: Decoded[] = [];
  for (const path of paths) {
    const one = await attempt(path, () => decode(path, task));
    if (one) decoded.push(one);
  }
  const files = decoded.map(({ file }) => file);
  const [image] = files;
  if (!image || broken.length > 0) return { id, files, channels: [], label: null, misplaced: [], broken };
  const misplaced = files.slice(1).flatMap((file) => misplacement(file, image) ?? []);
  const labelled = await measureLabel(task, { image, grid: decoded[0]?.grid }, misplaced, attempt);
  const channels = decoded
    .flatMap((one) => one.channels)
    .map((channel, i) => measureChannel(channel, labelled?.foreground, new Random('sample', id, i)));
  return { id, files, channels, label: labelled?.label ?? null, misplaced, broken };
}

async function decode(path: string, { modality, volume: wanted }: MeasureTask): Promise<Decoded> {
  if (modality === '3D') {
    const { volume, affine, grid, spacingKnown, orientationNotice, notices } = await readVolume(path, {
      volume: wanted,
    });
    const told = orientationNotice === undefined ? notices : [orientationNotice, ...notices];
    const spacing = spacingKnown ? volume.spacing : null;
    const file = { path, digest: imageDigest(volume), size: volume.shape, spacing, affine, grey: true, notices: told };
    return { file, grid, channels: [{ values: volume.data, start: 0, step: 1 }] };
  }
  const image = await readImage(path);
  const { width, height, data } = image;
  const digest = imageDigest(image);
  const grey = isGrey(data);
  const size: Size3 = [1, height, width];
  const file = { path, digest, size, spacing: null, affine: null, grey, notices: [] };
  return { file, channels: [0, 1, 2].map((start) => ({ values: data, start, step: 3 })) };
}

function isGrey(rgb: Uint8Array): boolean {
  for (let i = 0; i < rgb.length; i += 3) if (rgb[i] !== rgb[i + 1] || rgb[i] !== rgb[i + 2]) return false;
  return true;
}

interface Labelled {
  readonly label: LabelMeasure;
  /** 1 where a voxel belongs to a class other than the background. */
  readonly foreground: Uint8Array;
}

type Attempt = <T>(path: string, read: () => Promise<T>) => Promise<T | undefined>;

async function measureLabel(
  task: MeasureTask,
  { image, grid }: { image: FileMeasure; grid: StoredGrid | undefined },
  misplaced: Misplaced[],
  attempt: Attempt,
): Promise<Labelled | undefined> {
  const { label } = task;
  if (!label) return undefined;
  const read = async (path: string): Promise<LabelMap | undefined> => {
    const map = await attempt(path, async () => {
      const found = await readLabelMap(path, grid);
      if (label.kind === 'map') requireSameNames(path, found, task);
      return found;
    });
    const wrong = map && misplacement({ path, size: map.shape, affine: map.affine }, image);
    if (wrong) misplaced.push(wrong);
    return wrong?.fatal ? undefined : map;
  };
  const counts = new Counts(task, image);
  if (label.kind === 'map') {
    const map = await read(label.path);
    if (!map) return undefined;
    counts.addMap(map);
    return counts.result(label.path, map);
  }
  const firstLabel = task.exclusive ? 1 : 0;
  let last: { path: string; map: LabelMap } | undefined;
  for (const [i, path] of label.paths.entries()) {
    const map = path === null ? undefined : await read(path);
    if (path === null || !map) continue;
    counts.addMask(map, firstLabel + i);
    last = { path, map };
  }
  return last
    ? counts.result(last.path, last.map)
    : counts.result(image.path, { shape: image.size, affine: image.affine });
}

/** @throws UnimissError 'data' where a file gives the name of a class to another number than the data set does */
function requireSameNames(path: string, { names = new Map() }: LabelMap, { labels }: MeasureTask): void {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[\s_-]+/g, '');
  for (const [value, name] of names) {
    const own = labels.filter((label) => plain(label.name) === plain(name));
    const [first] = own;
    if (first && !own.some(({ values }) => values.includes(value)))
      throw imageError(
        path,
        `calls its label ${value} “${name}”, which the data set numbers ${first.values.join(', ')}`,
        {
          remedy: 'Number the labels alike in all files and in the description of the data set.',
        },
      );
  }
}

/** Counts voxels of labels. */
class Counts {
  private readonly foreground: Uint8Array;
  private readonly voxels: number[];
  private readonly columnSums: number[];
  private readonly unknown = new Map<number, number>();
  private overlapping = 0;
  private ignored = 0;
  private readonly width: number;

  constructor(
    private readonly task: MeasureTask,
    image: FileMeasure,
  ) {
    const [depth, height, width] = image.size;
    this.foreground = new Uint8Array(depth * height * width);
    this.voxels = task.labels.map(() => 0);
    this.columnSums = task.labels.map(() => 0);
    this.width = width;
  }

  addMap({ data }: LabelMap): void {
    const { labels, ignore, exclusive } = this.task;
    const known = new Map<number, number[]>();
    for (const [number, { values }] of labels.entries())
      for (const value of values) known.set(value, [...(known.get(value) ?? []), number]);
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      const own = known.get(value);
      if (own) {
        for (const number of own) this.count(number, i);
        if (!exclusive || own[0] !== 0) this.foreground[i] = 1;
      } else if (value === ignore) this.ignored++;
      else if (value !== 0) this.unknown.set(value, (this.unknown.get(value) ?? 0) + 1);
    }
  }

  addMask({ data }: LabelMap, number: number): void {
    for (let i = 0; i < data.length; i++) {
      if (data[i] === 0) continue;
      this.count(number, i);
      if (this.foreground[i] === 1) this.overlapping++;
      this.foreground[i] = 1;
    }
  }

  private count(number: number, index: number): void {
    this.voxels[number]!++;
    this.columnSums[number]! += index % this.width;
  }

  result(path: string, { shape, affine }: Pick<LabelMap, 'shape' | 'affine'>): Labelled {
    const { voxels, columnSums, overlapping, ignored, foreground } = this;
    const columns = columnSums.map((sum, i) => sum / voxels[i]!);
    const unknown = [...this.unknown].sort(([a], [b]) => a - b);
    return { label: { path, size: shape, affine, unknown, voxels, columns, overlapping, ignored }, foreground };
  }
}

function measureChannel(
  { values, start, step }: Decoded['channels'][number],
  foreground: Uint8Array | undefined,
  random: Random,
): ChannelMeasure {
  const count = values.length / step;
  let [min, max, whole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
  let inside = 0;
  for (let i = 0; i < count; i++) {
    const value = values[start + i * step]!;
    if (value < min) min = value;
    if (value > max) max = value;
    if (whole && !Number.isInteger(value)) whole = false;
    if (foreground?.[i] === 1) inside++;
  }
  // Without any foreground all voxels tell more than none.
  const mask = inside > 0 ? foreground : undefined;
  const among = mask ? inside : count;
  const ranks = Float64Array.from({ length: Math.min(sampleSize, among) }, () => random.int(among)).sort();
  const sample = new Float32Array(ranks.length);
  let [rank, taken] = [0, 0];
  for (let i = 0; i < count && taken < ranks.length; i++) {
    if (mask && mask[i] !== 1) continue;
    while (taken < ranks.length && ranks[taken] === rank) sample[taken++] = values[start + i * step]!;
    rank++;
  }
  return { min, max, whole, sample };
}
