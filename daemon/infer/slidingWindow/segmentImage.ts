import { cutPatch } from '../../data/augment/pairs/samplePatch.ts';
import { voxelCount } from '../../data/prepared/axes.ts';
import type { PreparedImage, Size3 } from '../../data/prepared/types.ts';
import { CompactSlab } from './compactSlab.ts';
import { doubleSlice } from './doubleSlice.ts';
import { importanceOf } from './importance.ts';
import { type Choice, LabelSlices, rank, type ScoreSlice, type SliceBetween } from './labelSlices.ts';
import { ScoreSlices } from './scoreSlices.ts';
import { scoreTaps, type Taps } from './scoreTaps.ts';
import { Slab } from './slab.ts';
import { coverImage } from './windows.ts';

/** The network: scores (logits) of one window. Several are folds of an ensemble. */
export interface WindowNetwork {
  readonly window: Size3;
  readonly classes: number;
  /**
   * Voxels that a score stands for along either axis of the plane; between scores it is interpolated linearly. Networks whose logits are
   * those of the stem's grid, enlarged, have 2: that is a quarter of the numbers. Default 1.
   */
  readonly stride?: 1 | 2;
  /**
   * @param images [1, D, H, W, channels]
   * @returns [1, D, H / stride, W / stride, classes]
   */
  run(images: Float32Array): Promise<Float32Array>;
}

export interface SegmentOptions {
  readonly choice: Choice;
  /** Share of a window that it has in common with the next, 0 ≤ overlap < 1. */
  readonly overlap: number;
  /** Axes (0 slices, 1 rows, 2 columns) along which windows are mirrored too; scores are averaged over all combinations. */
  readonly mirror: readonly (0 | 1 | 2)[];
  /** Size of the labels: that of the image as it is stored. */
  readonly size: Size3;
  readonly signal?: AbortSignal | undefined;
  /**
   * Receives the mean scores of each output slice in their order, [H, W, classes], valid until it resolves. Then all classes are interpolated
   * at all voxels, which takes longer.
   */
  readonly onScores?: ((slice: number, scores: Float32Array) => Promise<void>) | undefined;
  /** Told how many output slices have their labels, from the first on, whenever there are more. */
  readonly onSlices?: ((done: number, maps: readonly (Uint8Array | Uint16Array)[]) => Promise<void>) | undefined;
  /** Bytes of scores above which they are kept in half of that (`CompactSlab`). Default 128 MiB. */
  readonly compactAbove?: number;
  onProgress?(done: number, total: number): void;
}

const usualCompactAbove = 2 ** 27;

/**
 * Labels of an image by a sliding window. Scores are kept for as many slices as a window has; from them the labels of the output's
 * slices are chosen at once. So memory is image, labels and one slab; only the slab depends on the number of classes.
 * @param image in the plan's spacing, normalised
 * @returns exclusive: one map [D, H, W] of class numbers; overlapping: a map a class, 1 where it is there
 * @throws the signal's reason where it is aborted
 */
export async function segmentImage(
  networks: readonly [WindowNetwork, ...WindowNetwork[]],
  image: PreparedImage,
  {
    choice,
    overlap,
    mirror,
    size,
    signal,
    onScores,
    onSlices,
    compactAbove = usualCompactAbove,
    onProgress,
  }: SegmentOptions,
): Promise<(Uint8Array | Uint16Array)[]> {
  const [{ window, classes, stride = 1 }] = networks;
  const starts = coverImage(image.size, window, overlap, stride);
  const scoresSize = coarser(image.size, stride);
  const scoresWindow = coarser(window, stride);
  const importance = importanceOf(scoresWindow);
  const depth = Math.min(window[0], image.size[0]);
  const inScores = ([z, y, x]: Size3): Size3 => [z, y / stride, x / stride];
  const bytes = 4 * depth * scoresSize[1] * scoresSize[2] * classes;
  const slab =
    bytes > compactAbove
      ? new CompactSlab(scoresSize, depth, classes, scoresWindow, starts.map(inScores))
      : new Slab(scoresSize, depth, classes);
  const writer = new OutputWriter(image.size, size, classes, choice);
  const [, ...from] = image.size;
  const coarse = new Float32Array(stride === 2 ? scoresSize[1] * scoresSize[2] * classes : 0);
  const take = (z: number, into: Float32Array) => {
    if (stride === 1) return slab.take(z, into);
    slab.take(z, coarse);
    doubleSlice(coarse, from, classes, into);
  };
  const [, ...to] = size;
  const interpolation = onScores && new ScoreSlices(from, to, classes);
  let complete = 0;
  const finish = async (before: number) => {
    for (; complete < before; complete++)
      for (const { slice, below, above, share } of writer.add(complete, (into) => take(complete, into)))
        if (interpolation) await onScores?.(slice, interpolation.between(below, above, share));
    await onSlices?.(writer.done, writer.maps);
  };
  const scoresOf = (start: Size3) => windowScores(networks, image, start, mirror);
  const [first] = starts;
  let coming = first && scoresOf(first);
  for (const [i, start] of starts.entries()) {
    const scores = await coming;
    signal?.throwIfAborted();
    // The network works on the next window while this one's scores are added.
    const next = starts[i + 1];
    coming = next && scoresOf(next);
    try {
      // Windows come in the order of their slices: those above this one's first are complete.
      await finish(start[0]);
      if (scores) slab.add(inScores(start), scoresWindow, scores, importance);
      onProgress?.(i + 1, starts.length);
    } catch (error) {
      await coming?.catch(() => undefined); // what happened first is told
      throw error;
    }
  }
  await finish(image.size[0]);
  return writer.maps;
}

/** A size in scores: those in the plane are fewer. */
function coarser([slices, rows, columns]: Size3, stride: number): Size3 {
  return [slices, Math.ceil(rows / stride), Math.ceil(columns / stride)];
}

/** Mean scores of a window over networks and mirrored copies, [D, H / stride, W / stride, classes]. */
async function windowScores(
  networks: readonly WindowNetwork[],
  image: PreparedImage,
  start: Size3,
  mirror: readonly (0 | 1 | 2)[],
): Promise<Float32Array> {
  const [{ window, classes, stride = 1 } = { window: image.size, classes: 0 }] = networks;
  const input = channelsLast(cutPatch(image, start, window));
  const flips = Array.from({ length: 1 << mirror.length }, (_, set) => mirror.filter((_, bit) => set & (1 << bit)));
  const count = flips.length * networks.length;
  let sum: Float32Array | undefined;
  for (const flip of flips)
    for (const network of networks) {
      const given = flipped(input, window, image.channels, flip);
      const scores = flipped(await network.run(given), coarser(window, stride), classes, flip);
      if (!sum) sum = count > 1 && flip.length === 0 ? scores.slice() : scores;
      else for (let i = 0; i < scores.length; i++) sum[i] = sum[i]! + scores[i]!;
    }
  if (!sum) throw new RangeError('a sliding window needs a network');
  if (count > 1) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! / count;
  return sum;
}

/** [C, D, H, W] → [D, H, W, C], as networks take images. */
export function channelsLast({ image, channels, size }: PreparedImage): Float32Array {
  if (channels === 1) return image;
  const voxels = voxelCount(size);
  const out = new Float32Array(image.length);
  for (let c = 0; c < channels; c++) for (let v = 0; v < voxels; v++) out[v * channels + c] = image[c * voxels + v]!;
  return out;
}

/** An array [D, H, W, C] with some axes reversed; itself where there are none. */
function flipped(values: Float32Array, size: Size3, channels: number, axes: readonly (0 | 1 | 2)[]): Float32Array {
  if (axes.length === 0) return values;
  const [depth, height, width] = size;
  const at = (axis: 0 | 1 | 2, i: number) => (axes.includes(axis) ? size[axis] - 1 - i : i);
  const out = new Float32Array(values.length);
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++) {
      const row = (at(0, z) * height + at(1, y)) * width;
      for (let x = 0; x < width; x++) {
        const from = (row + at(2, x)) * channels;
        out.set(values.subarray(from, from + channels), ((z * height + y) * width + x) * channels);
      }
    }
  return out;
}

interface WrittenSlice {
  readonly slice: number;
  readonly below: ScoreSlice;
  readonly above: ScoreSlice;
  /** That of `above`. */
  readonly share: number;
}

/** Takes slices of scores in their order and writes each output slice as soon as the two that it lies between are there. */
class OutputWriter {
  readonly maps: (Uint8Array | Uint16Array)[];
  private readonly places: readonly Taps[];
  private readonly labels: LabelSlices;
  private below: ScoreSlice;
  private above: ScoreSlice;
  private next = 0;

  constructor(
    from: Size3,
    private readonly to: Size3,
    classes: number,
    choice: Choice,
  ) {
    const make = () =>
      choice === 'exclusive' && classes > 256 ? new Uint16Array(voxelCount(to)) : new Uint8Array(voxelCount(to));
    this.maps = Array.from({ length: choice === 'exclusive' ? 1 : classes }, make);
    this.places = scoreTaps(from[0], to[0]);
    this.labels = new LabelSlices([from[1], from[2]], [to[1], to[2]], classes, choice);
    const plane = from[1] * from[2];
    const slice = (): ScoreSlice => ({ scores: new Float32Array(plane * classes), best: new Uint16Array(plane) });
    this.below = slice();
    this.above = slice();
  }

  /** Output slices that have their labels. */
  get done(): number {
    return this.next;
  }

  /** @returns the output slices that were written, with the scores that they lie between: valid until the next call */
  add(z: number, fill: (into: Float32Array) => void): WrittenSlice[] {
    [this.below, this.above] = [this.above, this.below];
    fill(this.above.scores);
    rank(this.above);
    const plane = this.to[1] * this.to[2];
    // Those in this very slice, and those between it and the one before.
    const [within, between]: [SliceBetween[], SliceBetween[]] = [[], []];
    const written: WrittenSlice[] = [];
    for (; this.next < this.to[0]; this.next++) {
      const { first, weights } = this.places[this.next]!;
      if (first + weights.length - 1 > z) break;
      const maps = this.maps.map((map) => map.subarray(this.next * plane, (this.next + 1) * plane));
      const single = weights.length === 1;
      const share = single ? 0 : weights[1]!;
      (single ? within : between).push({ share, maps });
      written.push({ slice: this.next, below: single ? this.above : this.below, above: this.above, share });
    }
    if (within.length > 0) this.labels.write(this.above, this.above, within);
    if (between.length > 0) this.labels.write(this.below, this.above, between);
    return written;
  }
}
