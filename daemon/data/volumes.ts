import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';
import { readFailure } from './formats/bytes.ts';
import { readVolume, volumeNotices } from './formats/image.ts';
import { imageError } from './formats/imageError.ts';
import type { Affine } from './formats/niftiGeometry.ts';
import type { StoredVolume } from './formats/storedVolume.ts';
import { imageDigest } from './imageDigest.ts';
import { Random, type RandomKey } from './random.ts';
import { isFarFrom, paperSpacing, resampleVolume } from './resample.ts';
import type { Volume } from './types.ts';
import { VolumeCache } from './volumeCache.ts';

export interface ResampleOptions {
  /** Wanted spacing, mm, [slice, x, y]. */
  readonly spacing: Volume['spacing'];
  /** Folder for copies of resampled volumes; false: no copies. */
  readonly cache: string | false;
}

/**
 * A notice about a volume. `resampled`, `orientation` (sform or qform is unsound, and the other one is used), `slices`
 * (unusual positions in a DICOM series), `spacing` (the header has none) and `values` (they do not look like HU) are properties of the file, the same at each reading. `cache` is a
 * problem with cached copies.
 */
export interface VolumeNotice {
  readonly kind: 'resampled' | 'orientation' | 'slices' | 'spacing' | 'values' | 'cache';
  /** A clause whose subject is the volume. */
  readonly message: string;
}

/** Slices of the sub-volumes that the paper's data preparation cuts a CT into, and the step between their first slices. */
const subVolumeSlices = 24;
const subVolumeStep = 4;
/** Share of the in-plane size that the data preparation drops on each side. */
const droppedBorder = 0.1;

/**
 * Reads volumes for training: in HU, resampled if their spacing is far from the wanted one. A header without a usable spacing
 * counts as 3×1×1 mm, the spacing of the reference's sub-volumes, whose headers lack it.
 */
export class VolumeReader {
  private readonly cache: VolumeCache | undefined;

  /** @param resample false: volumes keep their stored spacing */
  constructor(private readonly resample: ResampleOptions | false) {
    if (resample && resample.cache !== false) this.cache = new VolumeCache(resample.cache);
  }

  /**
   * @param onNotice receives each `VolumeNotice`
   * @param onDigest receives the `imageDigest` of the stored volume
   * @throws UnimissError('data') naming file and reason
   */
  async read(
    path: string,
    onNotice: (notice: VolumeNotice) => void,
    onDigest?: (digest: string) => void,
  ): Promise<Volume> {
    const { resample, cache } = this;
    const onTrouble = (message: string) => onNotice({ kind: 'cache', message });
    if (!resample) {
      const stored = await readVolume(path);
      onDigest?.(imageDigest(stored.volume));
      return checked(stored, onNotice);
    }
    const key = cache && {
      path: await realpath(path).catch(() => path),
      ...(await fileState(path)),
      spacing: resample.spacing,
    };
    const wanted = millimeters(resample.spacing);
    if (cache && key) {
      const kept = await cache.get(key, onTrouble);
      // Replace a copy without a digest: only a new one can identify its source.
      if (kept && !(onDigest && kept.digest === undefined)) {
        if (kept.digest !== undefined) onDigest?.(kept.digest);
        noticeOrientation(await volumeNotices(path), onNotice);
        onNotice({
          kind: 'resampled',
          message: `has another spacing than ${wanted}; the resampled copy from an earlier reading is used`,
        });
        return kept.volume;
      }
    }
    const stored = await readVolume(path);
    const volume = checked(stored, onNotice);
    const far = isFarFrom(volume.spacing, resample.spacing);
    const digest = onDigest || (far && cache) ? imageDigest(volume) : undefined;
    if (digest !== undefined) onDigest?.(digest);
    if (!far) return volume;
    let resampled: Volume;
    try {
      resampled = resampleVolume(volume, resample.spacing);
    } catch (error) {
      throw error instanceof UnimissError ? imageError(path, error.what, error.details) : error;
    }
    onNotice({
      kind: 'resampled',
      message: `has a spacing of ${millimeters(volume.spacing)}: resampled to ${wanted} (${volume.shape.join('×')} to ${resampled.shape.join('×')} voxels)`,
    });
    if (cache && key) {
      const affine = resampledAffine(stored.affine, volume, resampled);
      await cache.put(key, { volume: resampled, affine, ...(digest !== undefined && { digest }) }, onTrouble);
    }
    return resampled;
  }
}

/**
 * A volume as a network gets it, and where it lies: read anew, without a cache.
 * @param spacing wanted, mm; undefined: volumes keep their own
 * @throws UnimissError('data') naming file and reason
 */
export async function readPlaced(
  path: string,
  spacing: ResampleOptions['spacing'] | undefined,
): Promise<{ volume: Volume; affine: Affine }> {
  const stored = await readVolume(path);
  const volume = checked(stored, () => undefined);
  if (!spacing || !isFarFrom(volume.spacing, spacing)) return { volume, affine: stored.affine };
  const resampled = resampleVolume(volume, spacing);
  return { volume: resampled, affine: resampledAffine(stored.affine, volume, resampled) };
}

/** CT contains air, at about −1000 HU. A volume whose values are all above this is probably not in HU. */
const surelyAir = -500;

/** The volume with a usable spacing. Gives notices about unusual properties. */
function checked(stored: StoredVolume, onNotice: (notice: VolumeNotice) => void): Volume {
  const { volume, spacingKnown } = stored;
  noticeOrientation(stored, onNotice);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < volume.data.length; i++) {
    const value = volume.data[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > surelyAir) {
    onNotice({
      kind: 'values',
      message: `has values from ${+low.toPrecision(4)} to ${+high.toPrecision(4)}, which do not look like HU (air is -1000); they are divided by 1024 like all others`,
    });
  }
  if (spacingKnown) return volume;
  onNotice({
    kind: 'spacing',
    message: `has no usable spacing in its header: ${millimeters(paperSpacing)} is assumed`,
  });
  return { ...volume, spacing: paperSpacing };
}

function noticeOrientation(
  { orientationNotice, notices = [] }: Partial<Pick<StoredVolume, 'orientationNotice' | 'notices'>>,
  onNotice: (notice: VolumeNotice) => void,
): void {
  if (orientationNotice !== undefined) onNotice({ kind: 'orientation', message: orientationNotice });
  for (const message of notices) onNotice({ kind: 'slices', message });
}

/** Size and time of change; of a folder (a DICOM series) the sum over its files and the latest time. */
async function fileState(path: string): Promise<{ mtimeMs: number; size: number }> {
  try {
    const info = await stat(path);
    if (!info.isDirectory()) return { mtimeMs: info.mtimeMs, size: info.size };
    // A link that leads nowhere is no part of a series.
    const states = (await readdir(path)).map((name) => stat(join(path, name)).catch(() => undefined));
    const files = (await Promise.all(states)).filter((file) => file !== undefined);
    return {
      mtimeMs: Math.max(info.mtimeMs, ...files.map((file) => file.mtimeMs)),
      size: files.reduce((sum, file) => sum + file.size, 0),
    };
  } catch (error) {
    throw readFailure(path, error);
  }
}

function millimeters(spacing: readonly number[]): string {
  return `${spacing.map((mm) => +mm.toFixed(2)).join('×')} mm`;
}

/** The affine of the resampled array: the same directions and outer borders, other steps. */
function resampledAffine(affine: Affine, from: Volume, to: Volume): Affine {
  const factors = [0, 1, 2].map((axis) => from.shape[axis]! / to.shape[axis]!);
  return affine.map((row) => {
    const steps = factors.map((factor, axis) => row[axis]! * factor);
    // The centre of the first voxel moves from half an old step to half a new step inside the border.
    const origin = row[3] + factors.reduce((sum, factor, axis) => sum + row[axis]! * (factor - 1) * 0.5, 0);
    return [...steps, origin];
  }) as unknown as Affine;
}

/**
 * The part of a volume for one epoch's views. Up to 24 slices: the volume itself, like the paper's prepared sub-volumes. More (a
 * whole CT): 24 consecutive slices, cut like in the paper's data preparation. They begin at a multiple of 4 that `key` draws, and
 * lose the outer 10 % on each in-plane side. So both views of an epoch overlap, and over the epochs all slices are used.
 */
export function subVolume(volume: Volume, key: RandomKey): Volume {
  const [slices, xs, ys] = volume.shape;
  if (slices <= subVolumeSlices) return volume;
  const starts = Math.floor((slices - subVolumeSlices) / subVolumeStep) + 1;
  const start = subVolumeStep * new Random(...key, 'sub-volume').int(starts);
  const [dropX, dropY] = [Math.round(droppedBorder * xs), Math.round(droppedBorder * ys)];
  const [width, height] = [ys - 2 * dropY, xs - 2 * dropX];
  const size = subVolumeSlices * height * width;
  const data = volume.data instanceof Int16Array ? new Int16Array(size) : new Float32Array(size);
  for (let s = 0, to = 0; s < subVolumeSlices; s++) {
    for (let x = 0; x < height; x++, to += width) {
      const from = ((start + s) * xs + dropX + x) * ys + dropY;
      data.set(volume.data.subarray(from, from + width), to);
    }
  }
  return { kind: '3D', shape: [subVolumeSlices, height, width], data, spacing: volume.spacing };
}
