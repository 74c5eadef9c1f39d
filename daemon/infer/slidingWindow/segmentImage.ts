import { cutPatch, volumeOf } from '../../data/augment/pairs/samplePatch.ts';
import type { PreparedImage, Size3 } from '../../data/prepared/types.ts';
import { importanceOf } from './importance.ts';
import { between, type Choice, LabelSlices, rank, type ScoreSlice } from './labelSlices.ts';
import { Slab } from './slab.ts';
import { coverImage } from './windows.ts';

/** The network: scores (logits) of one window. Several are folds of an ensemble. */
export interface WindowNetwork {
  readonly window: Size3;
  readonly classes: number;
  /**
   * @param images [1, D, H, W, channels]
   * @returns [1, D, H, W, classes]
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
  onProgress?(done: number, total: number): void;
}

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
  { choice, overlap, mirror, size, signal, onProgress }: SegmentOptions,
): Promise<(Uint8Array | Uint16Array)[]> {
  const [{ window, classes }] = networks;
  const starts = coverImage(image.size, window, overlap);
  const importance = importanceOf(window);
  const slab = new Slab(image.size, Math.min(window[0], image.size[0]), classes);
  const writer = new OutputWriter(image.size, size, classes, choice);
  let complete = 0;
  for (const [i, start] of starts.entries()) {
    signal?.throwIfAborted();
    // Windows come in the order of their slices: those above this one's first are complete.
    for (; complete < start[0]; complete++) writer.add(complete, (into) => slab.take(complete, into));
    slab.add(start, window, await scoresOf(networks, image, start, mirror), importance);
    onProgress?.(i + 1, starts.length);
  }
  for (; complete < image.size[0]; complete++) writer.add(complete, (into) => slab.take(complete, into));
  return writer.maps;
}

/** Mean scores of a window over networks and mirrored copies, [D, H, W, classes]. */
async function scoresOf(
  networks: readonly WindowNetwork[],
  image: PreparedImage,
  start: Size3,
  mirror: readonly (0 | 1 | 2)[],
): Promise<Float32Array> {
  const [{ window, classes } = { window: image.size, classes: 0 }] = networks;
  const input = channelsLast(cutPatch(image, start, window));
  const flips = Array.from({ length: 1 << mirror.length }, (_, set) => mirror.filter((_, bit) => set & (1 << bit)));
  let sum: Float32Array | undefined;
  for (const flip of flips)
    for (const network of networks) {
      const scores = flipped(await network.run(flipped(input, window, image.channels, flip)), window, classes, flip);
      if (!sum) sum = flip.length === 0 ? scores.slice() : scores;
      else for (let i = 0; i < scores.length; i++) sum[i] = sum[i]! + scores[i]!;
    }
  const count = flips.length * networks.length;
  if (!sum) throw new RangeError('a sliding window needs a network');
  if (count > 1) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! / count;
  return sum;
}

/** [C, D, H, W] → [D, H, W, C], as networks take images. */
export function channelsLast({ image, channels, size }: PreparedImage): Float32Array {
  if (channels === 1) return image;
  const voxels = volumeOf(size);
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

/** Takes slices of scores in their order and writes each output slice as soon as the two that it lies between are there. */
class OutputWriter {
  readonly maps: (Uint8Array | Uint16Array)[];
  private readonly places;
  private readonly labels: LabelSlices;
  private below: ScoreSlice;
  private above: ScoreSlice;
  private next = 0;

  constructor(
    private readonly from: Size3,
    private readonly to: Size3,
    classes: number,
    choice: Choice,
  ) {
    const make = () =>
      choice === 'exclusive' && classes > 256 ? new Uint16Array(volumeOf(to)) : new Uint8Array(volumeOf(to));
    this.maps = Array.from({ length: choice === 'exclusive' ? 1 : classes }, make);
    this.places = between(from[0], to[0]);
    this.labels = new LabelSlices([from[1], from[2]], [to[1], to[2]], classes, choice);
    const plane = from[1] * from[2];
    const slice = (): ScoreSlice => ({ scores: new Float32Array(plane * classes), best: new Uint16Array(plane) });
    this.below = slice();
    this.above = slice();
  }

  add(z: number, fill: (into: Float32Array) => void): void {
    [this.below, this.above] = [this.above, this.below];
    fill(this.above.scores);
    rank(this.above);
    const plane = this.to[1] * this.to[2];
    for (; this.next < this.to[0] && this.places.high[this.next]! <= z; this.next++) {
      const [low, share] = [this.places.low[this.next]!, this.places.share[this.next]!];
      const below = low === z ? this.above : this.below;
      const maps = this.maps.map((map) => map.subarray(this.next * plane, (this.next + 1) * plane));
      this.labels.write(below, this.above, share, maps);
    }
  }
}
