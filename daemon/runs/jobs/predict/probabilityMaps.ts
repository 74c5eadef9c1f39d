import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { encode } from 'fast-png';
import { writeInGrid } from '../../../data/formats/gridWriter.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import { diskError, writeAtomically } from '../../../files/atomic.ts';
import { readInto, writeFully } from '../../../files/fully.ts';
import type { Choice } from '../../../infer/slidingWindow/labelSlices.ts';
import type { PosedImage } from './posed.ts';
import { fileName, privateMode } from './writeLabels.ts';

/** The grid of an image, and the size in which scores of it come. */
type Places = Pick<PosedImage, 'size' | 'back'> & { readonly stored: StoredCase };

/** The number that stands for a probability of 1. */
const one = 65535;

/**
 * Probabilities of an image's voxels, by class. They are collected in a file, slice by slice, since those of many classes fit no memory; then
 * each class gets its own file in the grid of the image.
 */
export class ProbabilityMaps {
  private constructor(
    private readonly file: { readonly path: string; readonly handle: FileHandle },
    private readonly base: string,
    private readonly places: Places,
    /** Names of all outputs. */
    private readonly names: readonly string[],
    private readonly choice: Choice,
  ) {}

  /**
   * @param base path of the results without ending; its folder exists
   * @throws UnimissError 'disk'
   */
  static async open(base: string, places: Places, names: readonly string[], choice: Choice): Promise<ProbabilityMaps> {
    const unique = `${process.pid}-${randomBytes(4).toString('hex')}`;
    const path = join(dirname(base), `.${basename(base)}.probabilities.${unique}.partial`);
    try {
      const handle = await open(path, 'wx+', privateMode);
      return new ProbabilityMaps({ path, handle }, base, places, names, choice);
    } catch (error) {
      throw diskError(error, path);
    }
  }

  /** Takes the scores of a slice, [H, W, classes]. */
  async add(slice: number, scores: Float32Array): Promise<void> {
    const { names, choice } = this;
    const classes = names.length;
    const voxels = this.plane;
    const maps = names.map(() => new Uint16Array(voxels));
    const values = new Float64Array(classes);
    for (let v = 0; v < voxels; v++) {
      if (choice === 'exclusive') softmax(scores, v * classes, values);
      else for (let k = 0; k < classes; k++) values[k] = 1 / (1 + Math.exp(-scores[v * classes + k]!));
      for (let k = 0; k < classes; k++) maps[k]![v] = Math.round(one * values[k]!);
    }
    for (const [k, map] of maps.entries()) {
      const bytes = Buffer.from(map.buffer);
      await this.onDisk(writeFully(this.file.handle, bytes, 2 * voxels * (k * this.places.size[0] + slice)));
    }
  }

  /**
   * Writes the file of each class, that of a background excepted: NIfTI with a slope, or PNG of 16 bits.
   * @returns the paths
   */
  async write(): Promise<string[]> {
    const { names, choice, places, base } = this;
    const { stored, size, back } = places;
    const files: string[] = [];
    const voxels = this.plane * size[0];
    for (const [k, name] of names.entries()) {
      if (choice === 'exclusive' && k === 0) continue;
      const collected = new Uint16Array(voxels);
      const bytes = Buffer.from(collected.buffer);
      await this.onDisk(readInto(this.file.handle, bytes, 2 * voxels * k));
      const data = back(collected);
      const path = `${base}.${fileName(name)}.probability.${stored.grid ? 'nii.gz' : 'png'}`;
      if (stored.grid) await writeInGrid(path, { data, grid: stored.grid, slope: 1 / one }, privateMode);
      else {
        const png = encode({ width: stored.size[2], height: stored.size[1], data, channels: 1, depth: 16 });
        await writeAtomically(path, (handle) => handle.writeFile(png), { mode: privateMode });
      }
      files.push(path);
    }
    return files;
  }

  /** Removes the collecting file. */
  async close(): Promise<void> {
    await this.file.handle.close();
    await rm(this.file.path, { force: true });
  }

  private get plane(): number {
    return this.places.size[1] * this.places.size[2];
  }

  private async onDisk(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw diskError(error, this.file.path);
    }
  }
}

function softmax(scores: Float32Array, at: number, into: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < into.length; k++) if (scores[at + k]! > most) most = scores[at + k]!;
  let sum = 0;
  for (let k = 0; k < into.length; k++) {
    into[k] = Math.exp(scores[at + k]! - most);
    sum += into[k]!;
  }
  for (let k = 0; k < into.length; k++) into[k] = into[k]! / sum;
}
