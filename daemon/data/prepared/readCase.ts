import { UnimissError } from '../../../protocol/errors.ts';
import type { Modality } from '../../../protocol/modality.ts';
import { inspectImage, inspectLabels, readImage, readLabels as readLabelMap, readVolume } from '../formats/image.ts';
import { imageError } from '../formats/imageError.ts';
import { readLabelMap as readPictureLabels } from '../formats/labelMap.ts';
import type { StoredGrid } from '../formats/storedVolume.ts';
import type { LabelData } from '../formats/voxels.ts';
import { misplacedRemedy, misplacement, type Placed } from './misplacement.ts';
import type { ImageValues } from './resizeMaps.ts';
import type { CaseFiles, LabelFiles, PrepareSettings } from './settings.ts';
import { ignoredLabel, type LabelMaps, type Size3 } from './types.ts';

/** An image and its labels as they are stored, in one orientation. */
export interface StoredCase {
  readonly size: Size3;
  /** mm, [slice, x, y]; null: pictures, and volumes whose header does not say. */
  readonly spacing: readonly [number, number, number] | null;
  /** One [D, H, W] a channel, in the type in which it was read. */
  readonly channels: readonly ImageValues[];
  readonly labels?: LabelMaps;
  /** The grid of the first file; absent for pictures. */
  readonly grid?: StoredGrid;
  /** What is worth knowing about the files: clauses whose subject is the image. */
  readonly notices: readonly string[];
}

/** Decoded values of one file. */
interface Stored<Values = ImageValues> extends Placed {
  readonly spacing: readonly [number, number, number] | null;
  /** One a channel. */
  readonly planes: readonly Values[];
  readonly grid?: StoredGrid;
  readonly notices: readonly string[];
}

/**
 * Reads an image and its labels.
 * @throws UnimissError 'data' naming the file: unreadable, another size or place than the first image, a number of channels that the
 * plan does not have, a value that no class has, masks that overlap where classes exclude each other
 */
export async function readCase(files: CaseFiles, settings: PrepareSettings): Promise<StoredCase> {
  const { modality, channels } = settings;
  const read = await Promise.all(files.images.map((path) => readStored(path, settings)));
  const [first] = read;
  if (!first) throw new UnimissError('internal', 'a case without an image', { place: files.id });
  for (const other of read.slice(1)) requireSamePlace(other, first);
  const planes =
    read.length === 1
      ? channelsOf(first, channels.length, files.images[0]!)
      : read.map((one, i) => greyOf(one, files.images[i]!));
  if (planes.length !== channels.length)
    throw imageError(files.images[0]!, `has ${planes.length} channels, but the network takes ${channels.length}`, {
      remedy: `Give images with the channels ${channels.map(({ name }) => name).join(', ')}. To train on others, correct plan.channels.`,
    });
  const { size, spacing } = first;
  const notices = read.flatMap((one) => one.notices);
  const stored = { size, spacing, channels: planes, notices, ...(first.grid && { grid: first.grid }) };
  if (!files.labels) return stored;
  return {
    ...stored,
    labels: await readLabels(files.labels, { modality, grid: first.grid, image: first }),
  };
}

function requireKind(path: string, kind: Modality, modality: Modality): void {
  if (kind !== modality)
    throw imageError(path, kind === '2D' ? 'is a picture, but modality is "3D"' : 'is a volume, but modality is "2D"', {
      remedy: 'Correct `modality`.',
    });
}

async function readStored(path: string, { modality, volume: wanted }: PrepareSettings): Promise<Stored> {
  requireKind(path, (await inspectImage(path, { volume: wanted })).kind, modality);
  if (modality === '3D') {
    const { volume, affine, spacingKnown, grid, notices, orientationNotice } = await readVolume(path, {
      volume: wanted,
    });
    const spacing = spacingKnown ? volume.spacing : null;
    const all = orientationNotice === undefined ? notices : [orientationNotice, ...notices];
    return { path, size: volume.shape, affine, spacing, planes: [volume.data], grid, notices: all };
  }
  const { width, height, data } = await readImage(path);
  const planes = [0, 1, 2].map((c) => Int16Array.from({ length: width * height }, (_, i) => data[3 * i + c]!));
  return { path, size: [1, height, width], affine: null, spacing: null, planes, notices: [] };
}

async function readStoredLabels(path: string, { modality, grid }: LabelContext): Promise<Stored<LabelData>> {
  requireKind(path, (await inspectLabels(path)).kind, modality);
  if (modality === '3D') {
    const { shape, affine, spacing, spacingKnown, data } = await readLabelMap(path, grid && { into: grid });
    return { path, size: shape, affine, spacing: spacingKnown ? spacing : null, planes: [data], notices: [] };
  }
  const { shape, data } = await readPictureLabels(path);
  return { path, size: shape, affine: null, spacing: null, planes: [data], notices: [] };
}

/** The channels of a file that holds all of them; a grey picture serves as three equal ones. */
function channelsOf(stored: Stored, wanted: number, path: string): readonly ImageValues[] {
  return wanted === 1 ? [greyOf(stored, path)] : stored.planes;
}

/** @throws UnimissError 'data' for a colour image */
function greyOf<Values extends ImageValues | LabelData>({ planes }: Stored<Values>, path: string): Values {
  const [first, ...others] = planes;
  for (const other of others)
    for (let i = 0; i < other.length; i++)
      if (other[i] !== first![i])
        throw imageError(path, 'is a colour image where a grey one is expected', {
          remedy: 'Use grey images. To train on colour, name three channels in plan.channels.',
        });
  return first!;
}

/** Voxels of the same index must be the same place: labels of another spacing would be learned at the wrong voxels. */
function requireSamePlace(file: Placed, image: Placed): void {
  const wrong = misplacement(file, image);
  if (wrong?.fatal) throw imageError(file.path, wrong.what, { remedy: misplacedRemedy });
}

interface LabelContext {
  readonly modality: Modality;
  /** Absent for pictures. */
  readonly grid: StoredGrid | undefined;
  readonly image: Placed;
}

async function readLabels(files: LabelFiles, context: LabelContext): Promise<LabelMaps> {
  const { overlapping, from, classes } = files;
  const [depth, height, width] = context.image.size;
  const count = depth * height * width;
  const maps = overlapping ? classes.length : 1;
  const data = new Uint8Array(maps * count);
  const one = async (path: string) => {
    const stored = await readStoredLabels(path, context);
    requireSamePlace(stored, context.image);
    return greyOf(stored, path);
  };
  if (from.kind === 'map') mapLabels(await one(from.path), files, data, from.path);
  else
    for (const [i, path] of from.paths.entries()) {
      if (path === null) continue;
      const mask = await one(path);
      for (let v = 0; v < count; v++) {
        if (mask[v] === 0) continue;
        const at = overlapping ? i * count + v : v;
        if (!overlapping && data[at] !== 0)
          throw imageError(path, 'overlaps another mask, but `labels` is "exclusive"', {
            remedy: 'Set `labels` to "overlapping", or correct the masks.',
          });
        data[at] = overlapping ? 1 : i + 1;
      }
    }
  return { overlapping, maps, data };
}

/** Translates the values of a label map to class numbers. */
function mapLabels(values: ArrayLike<number>, files: LabelFiles, data: Uint8Array, path: string): void {
  const { overlapping, classes, ignore } = files;
  const count = values.length;
  const classesOf = new Map<number, number[]>();
  for (const [number, own] of classes.entries())
    for (const value of own) classesOf.set(value, [...(classesOf.get(value) ?? []), number]);
  for (let v = 0; v < count; v++) {
    const value = values[v]!;
    if (value === ignore) {
      for (let m = v; m < data.length; m += count) data[m] = ignoredLabel;
      continue;
    }
    const own = classesOf.get(value);
    if (!own) {
      if (overlapping && value === 0) continue;
      throw imageError(path, `has the label ${value}, which no class has`, {
        remedy: `Known values: ${[...classesOf.keys()].join(', ')}. Correct the labels or the data set's description.`,
      });
    }
    if (overlapping) for (const number of own) data[number * count + v] = 1;
    else data[v] = own[0]!;
  }
}
