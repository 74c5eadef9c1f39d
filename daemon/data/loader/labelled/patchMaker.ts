import { UnimissError } from '../../../../protocol/errors.ts';
import { makePatch } from '../../augment/pairs/applyRecipe.ts';
import { drawPairRecipe, type PairRecipe } from '../../augment/pairs/recipe.ts';
import { cutPatch } from '../../augment/pairs/samplePatch.ts';
import { voxelCount } from '../../prepared/axes.ts';
import { PreparedCache } from '../../prepared/preparedCache.ts';
import { PreparedFile } from '../../prepared/preparedFile.ts';
import { ignoredLabel, type Patch, type Size3 } from '../../prepared/types.ts';
import { Random, type RandomKey } from '../../random.ts';
import type {
  MadePatches,
  PatchMade,
  PatchOptions,
  PatchSlot,
  PatchTask,
  PreparedSummary,
  TrainingCase,
  Window,
} from './types.ts';

export interface PatchMakerSetup {
  readonly kind: 'patches';
  readonly cases: readonly TrainingCase[];
  readonly options: PatchOptions;
}

/** Label of voxels that count for nothing, in a batch. */
const ignored = -1;

/** Prepares cases and makes patches of them; in each worker thread one. What it makes is decided by its options and the task alone. */
export class PatchMaker {
  private readonly cache: PreparedCache;
  /** Copies of cases that were found before. */
  private readonly copies = new Map<number, string>();

  constructor(private readonly setup: PatchMakerSetup) {
    this.cache = new PreparedCache(setup.options.cache, setup.options.settings);
  }

  make(task: PatchTask): Promise<PatchMade> {
    switch (task.kind) {
      case 'prepare':
        return this.prepare(task.case);
      case 'train':
        return this.train(task.epoch, task.slots);
      case 'windows':
        return this.windows(task.windows);
    }
  }

  private async prepare(number: number): Promise<PreparedSummary> {
    return this.withCase(number, async (file) => {
      const { size, voxels, digests, tilt } = file.header;
      return {
        kind: 'prepared',
        copy: file.path,
        size,
        voxels,
        digests,
        tilt,
        middle: middleOf(await file.positions(), size),
      };
    });
  }

  private async train(epoch: number, slots: readonly PatchSlot[]): Promise<MadePatches> {
    const patches: Patch[] = [];
    for (const slot of slots) patches.push(await this.trainingPatch(epoch, slot));
    return this.batch(
      patches,
      slots.map((slot) => slot.case),
    );
  }

  private trainingPatch(epoch: number, slot: PatchSlot): Promise<Patch> {
    const { seed, patch, augment } = this.setup.options;
    const key: RandomKey = [seed, epoch, this.caseOf(slot.case).id, slot.repeat];
    return this.withCase(slot.case, async (file) => {
      const { size, channels } = file.header;
      const random = new Random(...key, 'patch');
      const around = slot.foreground ? drawVoxel(await file.positions(), size, random) : undefined;
      const start = around ? startAround(around, size, patch) : drawStart(size, patch, random);
      const recipe = drawPairRecipe(augment, { patch, channels }, key);
      const { first, image } = await file.slab(...slicesOf(start[0], patch, recipe));
      return makePatch(image, { start: [start[0] - first, start[1], start[2]], patch, recipe }, key);
    });
  }

  private async windows(windows: readonly Window[]): Promise<MadePatches> {
    const { patch } = this.setup.options;
    const patches: Patch[] = [];
    for (const { case: number, start } of windows)
      patches.push(
        await this.withCase(number, async (file) => {
          const { first, image } = await file.slab(start[0], start[0] + patch[0]);
          return outsideIgnored(
            cutPatch(image, [start[0] - first, start[1], start[2]], patch),
            start,
            file.header.size,
          );
        }),
      );
    return this.batch(
      patches,
      windows.map((window) => window.case),
    );
  }

  private batch(patches: readonly Patch[], cases: readonly number[]): MadePatches {
    const { severalOf } = this.setup.options;
    const ids = cases.map((number) => this.caseOf(number).id);
    const classes = cases.map((number) => this.caseOf(number).classes);
    const images = joinImages(patches);
    if (classes.some((own) => own === undefined)) return { kind: 'patches', images, labels: joinLabels(patches), ids };
    const labels =
      severalOf === null
        ? Int32Array.from(classes, (own) => own?.[0] ?? ignored)
        : Int32Array.from(
            classes.flatMap((own) => Array.from({ length: severalOf }, (_, k) => (own?.includes(k) ? 1 : 0))),
          );
    return { kind: 'patches', images, labels, ids };
  }

  private caseOf(number: number): TrainingCase {
    const found = this.setup.cases[number];
    if (found) return found;
    throw new UnimissError('internal', `there is no case ${number}`);
  }

  private async withCase<T>(number: number, use: (file: PreparedFile) => Promise<T>): Promise<T> {
    const known = this.copies.get(number);
    const opened = known === undefined ? undefined : await PreparedFile.open(known).catch(() => undefined);
    const file = opened ?? (await this.cache.open(this.caseOf(number)));
    this.copies.set(number, file.path);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }
}

/** [B, …, C] of patches [C, D, H, W]. */
function joinImages(patches: readonly Patch[]): Float32Array {
  const [first] = patches;
  if (!first) throw new UnimissError('internal', 'a batch without images');
  const { channels } = first;
  const voxels = voxelCount(first.size);
  const images = new Float32Array(patches.length * channels * voxels);
  for (const [b, { image }] of patches.entries()) {
    const offset = b * channels * voxels;
    if (channels === 1) images.set(image, offset);
    else
      for (let c = 0; c < channels; c++)
        for (let v = 0; v < voxels; v++) images[offset + v * channels + c] = image[c * voxels + v]!;
  }
  return images;
}

/** [B, …] of the patches' maps; overlapping classes become bits. */
function joinLabels(patches: readonly Patch[]): Int32Array {
  const voxels = voxelCount(patches[0]!.size);
  const labels = new Int32Array(patches.length * voxels);
  for (const [b, { labels: own }] of patches.entries()) {
    if (!own) continue;
    for (let m = 0; m < own.maps; m++)
      for (let v = 0; v < voxels; v++) {
        const value = own.data[m * voxels + v]!;
        const at = b * voxels + v;
        if (value === ignoredLabel) labels[at] = ignored;
        else if (!own.overlapping) labels[at] = value;
        else if (value !== 0) labels[at] = labels[at]! | (1 << m);
      }
  }
  return labels;
}

/** A patch for validation counts no voxel twice and none outside of the image. */
function outsideIgnored(patch: Patch, start: readonly number[], size: Size3): Patch {
  const { labels } = patch;
  if (!labels) return patch;
  const inside = [0, 1, 2].every((axis) => start[axis]! >= 0 && start[axis]! + patch.size[axis]! <= size[axis]!);
  if (inside) return patch;
  const [depth, height, width] = patch.size;
  for (let m = 0, i = 0; m < labels.maps; m++)
    for (let z = 0; z < depth; z++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++, i++) {
          const outside = [z, y, x].some((at, axis) => start[axis]! + at < 0 || start[axis]! + at >= size[axis]!);
          if (outside) labels.data[i] = ignoredLabel;
        }
  return patch;
}

/** A voxel of one of the classes that the case has, each with equal chance; undefined where it has none. */
function drawVoxel(
  places: ReadonlyMap<number, Int32Array>,
  [, height, width]: Size3,
  random: Random,
): [number, number, number] | undefined {
  if (places.size === 0) return undefined;
  const own = [...places.values()][random.int(places.size)]!;
  return voxelAt(own[random.int(own.length)]!, height, width);
}

function voxelAt(index: number, height: number, width: number): [number, number, number] {
  return [Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width];
}

/** First positions that keep a patch inside the image, or the image in the middle of a larger patch. */
function bounds(size: number, patch: number): [least: number, most: number] {
  if (size >= patch) return [0, size - patch];
  const before = -Math.floor((patch - size) / 2);
  return [before, before];
}

function drawStart(size: Size3, patch: Size3, random: Random): [number, number, number] {
  const one = (axis: 0 | 1 | 2) => {
    const [least, most] = bounds(size[axis], patch[axis]);
    return least + random.int(most - least + 1);
  };
  return [one(0), one(1), one(2)];
}

/** The patch around a voxel, as far as it stays inside the image. */
export function startAround(voxel: readonly number[], size: Size3, patch: Size3): [number, number, number] {
  const one = (axis: 0 | 1 | 2) => {
    const [least, most] = bounds(size[axis], patch[axis]);
    return Math.min(Math.max(voxel[axis]! - Math.floor(patch[axis] / 2), least), most);
  };
  return [one(0), one(1), one(2)];
}

/** The slices that a patch is made of: where it is turned or scaled, more than it has. */
function slicesOf(start: number, patch: Size3, { matrix }: PairRecipe): [from: number, to: number] {
  if (!matrix) return [start, start + patch[0]];
  const half = patch.map((n) => (n - 1) / 2) as [number, number, number];
  const reach = Math.abs(matrix[0]) * half[0] + Math.abs(matrix[1]) * half[1] + Math.abs(matrix[2]) * half[2];
  return [Math.floor(start + half[0] - reach), Math.ceil(start + half[0] + reach) + 2];
}

function middleOf(places: ReadonlyMap<number, Int32Array>, size: Size3): [number, number, number] {
  const all = [...places.values()].flatMap((own) => [...own]);
  if (all.length === 0) return [size[0] >> 1, size[1] >> 1, size[2] >> 1];
  const voxels = all.map((index) => voxelAt(index, size[1], size[2]));
  const median = (axis: 0 | 1 | 2) => voxels.map((voxel) => voxel[axis]).sort((a, b) => a - b)[voxels.length >> 1]!;
  return [median(0), median(1), median(2)];
}
