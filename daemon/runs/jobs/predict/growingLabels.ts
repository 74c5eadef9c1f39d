import { type FileHandle, open, rm } from 'node:fs/promises';
import { messageOf, UnimissError } from '../../../../protocol/errors.ts';
import { encodeCaretLabels } from '../../../data/formats/niftiExtension.ts';
import { encodeNifti } from '../../../data/formats/niftiWriter.ts';
import { orient, walkAffine } from '../../../data/formats/orientation.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import { diskError } from '../../../files/atomic.ts';
import { writeFully } from '../../../files/fully.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import { type LabelMapsOfImage, privateMode } from './writeLabels.ts';

/** Bytes of a header of NIfTI-1, before the mark of its extensions. */
const headBytes = 348;
const offsetAt = 108;
/** So often at most the file is written, ms. */
const writeEvery = 300;

/**
 * As `GrowingLabels`, but only for the sake of looking: a disk that refuses them does not end the prediction. What was written is removed then.
 */
export class WatchedLabels {
  private growing: GrowingLabels | undefined;

  private constructor(
    private readonly path: string,
    private readonly notice: (message: string) => void,
  ) {}

  /** @param notice receives why they are not shown, or not any more */
  static async open(
    path: string,
    stored: StoredCase,
    plan: NetworkPlan,
    notice: (message: string) => void,
  ): Promise<WatchedLabels> {
    const watched = new WatchedLabels(path, notice);
    await watched.unlessRefused(async () => {
      watched.growing = await GrowingLabels.open(path, stored, plan);
    });
    return watched;
  }

  add(done: number, maps: LabelMapsOfImage): Promise<void> {
    return this.unlessRefused(async () => this.growing?.add(done, maps));
  }

  async close(): Promise<void> {
    await this.growing?.close();
  }

  private async unlessRefused(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof UnimissError) || error.code !== 'disk') throw error;
      this.notice(`Its labels could not be shown while they grew: ${messageOf(error)}`);
      const { growing } = this;
      this.growing = undefined;
      await growing?.close();
      if (growing) await rm(this.path, { force: true });
    }
  }
}

/**
 * A NIfTI file with the labels of a volume while it is being labelled: slices that are not done yet are 0. It is for looking only; its voxels lie
 * in the order of memory, and the header says where.
 */
export class GrowingLabels {
  private written = 0;
  private last = 0;

  private constructor(
    private readonly file: { readonly path: string; readonly handle: FileHandle },
    private readonly start: number,
    /** Voxels of a slice. */
    private readonly plane: number,
    private readonly numbers: readonly number[],
    private readonly overlapping: boolean,
  ) {}

  /** @returns undefined for pictures, which are labelled at once. Throws UnimissError 'disk' */
  static async open(path: string, { grid, size, spacing }: StoredCase, plan: NetworkPlan) {
    if (!grid) return undefined;
    const overlapping = plan.labels === 'overlapping';
    const values = plan.classes.map(({ values: [value = 0] }) => value);
    // Overlapping classes have one number each here, from 1 on; values above a byte are replaced by the numbers of the classes.
    const numbers = values.map((value, k) => (overlapping ? k + 1 : Math.max(...values) > 255 ? k : value));
    const names = new Map(plan.classes.flatMap(({ name }, k) => (numbers[k] ? [[numbers[k], name] as const] : [])));
    const affine = walkAffine(grid.affine, grid.size, orient(grid.affine, grid.size));
    const none = new Uint8Array(0);
    const header = encodeNifti({ shape: size, data: none, spacing: spacing ?? [1, 1, 1], affine }).subarray(
      0,
      headBytes,
    );
    const extension = encodeCaretLabels(names, true);
    const start = headBytes + 4 + extension.length;
    header.writeFloatLE(start, offsetAt);
    const plane = size[1] * size[2];
    let handle: FileHandle | undefined;
    try {
      // A new file: a client's path must not empty what is there.
      handle = await open(path, 'wx', privateMode);
      await handle.writeFile(Buffer.concat([header, Buffer.from([1, 0, 0, 0]), extension]));
      await handle.truncate(start + size[0] * plane);
      return new GrowingLabels({ path, handle }, start, plane, numbers, overlapping);
    } catch (error) {
      await handle?.close();
      if (handle) await rm(path, { force: true }); // what it holds is no file yet
      throw diskError(error, path);
    }
  }

  /** @param done slices of the maps that have their labels, from the first on */
  async add(done: number, maps: LabelMapsOfImage): Promise<void> {
    const now = performance.now();
    if (done === this.written || now - this.last < writeEvery) return;
    const { plane, written } = this;
    const labels = this.labels(maps, written * plane, done * plane);
    try {
      await writeFully(this.file.handle, labels, this.start + written * plane);
    } catch (error) {
      throw diskError(error, this.file.path);
    }
    this.written = done;
    this.last = now;
  }

  close(): Promise<void> {
    return this.file.handle.close();
  }

  private labels(maps: LabelMapsOfImage, from: number, to: number): Uint8Array {
    const labels = new Uint8Array(to - from);
    for (const [k, map] of maps.entries())
      for (let voxel = from; voxel < to; voxel++) {
        const value = map[voxel] ?? 0;
        if (!this.overlapping) labels[voxel - from] = this.numbers[value] ?? 0;
        else if (value > 0) labels[voxel - from] = this.numbers[k] ?? 0;
      }
    return labels;
  }
}
