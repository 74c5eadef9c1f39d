import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';
import { superfluous } from '../../protocol/runs/checkpointMessages.ts';
import { diskError, removePartial, syncFolder } from '../files/atomic.ts';
import { makeFolder } from '../files/folder.ts';
import { SafetensorsFile } from './safetensorsReader.ts';
import { type TensorSource, writeSafetensors } from './safetensorsWriter.ts';
import { type Score, scoreMetadata, scoreOf } from './score.ts';

export interface SavedCheckpoint {
  /** Optimiser steps done when it was saved. */
  readonly step: number;
  readonly file: string;
}

export interface StoreOptions {
  /** How many of the newest to keep, at least 1. */
  keepLast: number;
  /** Whether to keep the one with the best score as well. */
  keepBest: boolean;
}

const namePattern = /^step-(\d{9,15})\.safetensors$/;
const pinPattern = /^step-(\d{9,15})\.pinned$/;
const damagedPattern = /^step-\d{9,15}\.safetensors\.damaged$/;

/**
 * The checkpoints of a run: `step-000001200.safetensors` and so on, in one folder. Only the holder of the run's lock may save,
 * set aside or remove; any process may list, read and pin. An empty file `step-000001200.pinned` is a pin.
 */
export class CheckpointStore {
  constructor(
    readonly folder: string,
    private readonly options: StoreOptions = { keepLast: 2, keepBest: true },
  ) {}

  fileOf(step: number): string {
    return join(this.folder, `step-${String(step).padStart(9, '0')}.safetensors`);
  }

  /** All checkpoints by their names, oldest first, unread; [] if the folder does not exist. */
  async list(): Promise<SavedCheckpoint[]> {
    return (await this.names())
      .flatMap((name) => {
        const step = namePattern.exec(name)?.[1];
        return step === undefined ? [] : [{ step: Number(step), file: join(this.folder, name) }];
      })
      .sort((a, b) => a.step - b.step);
  }

  /** @throws UnimissError 'checkpoint' if there is none of this step */
  async at(step: number): Promise<SavedCheckpoint> {
    const all = await this.list();
    const found = all.find((saved) => saved.step === step);
    if (found) return found;
    throw new UnimissError('checkpoint', `this run has no checkpoint of step ${step}`, {
      place: this.folder,
      remedy:
        all.length === 0
          ? 'It has no checkpoints.'
          : `Its checkpoints are of the steps ${all.map((one) => one.step).join(', ')}.`,
    });
  }

  /** Steps of the checkpoints that are kept until their pins are removed. */
  async pinned(): Promise<ReadonlySet<number>> {
    return new Set((await this.names()).flatMap((name) => pinPattern.exec(name)?.[1] ?? []).map(Number));
  }

  /** @throws UnimissError 'checkpoint' if there is no checkpoint of this step; 'disk' */
  async pin(step: number, pinned: boolean): Promise<void> {
    const { file } = await this.at(step);
    const pin = pinOf(file);
    try {
      // Not by way of a temporary file, which a run that saves at this moment would remove.
      // Nor through a link, which would empty what it leads to.
      if (pinned) await open(pin, 'wx').then((handle) => handle.close());
      else await rm(pin, { force: true });
    } catch (error) {
      if (!pinned || (error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, pin);
    }
    // The run may have removed it before the pin was there.
    if (pinned)
      await this.at(step).catch(async (error) => {
        await rm(pin, { force: true });
        throw error;
      });
  }

  /**
   * Removes checkpoints that the run needs no more.
   * @param steps those; without it, all but the newest, the best and the pinned ones, and the damaged ones
   * @returns the names of the files, and their bytes
   * @throws UnimissError 'checkpoint' if one of them is pinned, or the newest, from which the run resumes; then none is removed
   */
  async remove(steps?: readonly number[]): Promise<{ removed: string[]; bytes: number }> {
    const all = await this.list();
    const pinned = await this.pinned();
    const newest = all.at(-1)?.step;
    for (const step of steps ?? []) {
      await this.at(step);
      if (step !== newest && !pinned.has(step)) continue;
      const why = step === newest ? 'the newest one, from which the run resumes' : 'pinned';
      const remedy = step === newest ? 'Delete the whole run instead.' : 'Remove its pin first.';
      throw new UnimissError('checkpoint', `the checkpoint of step ${step} is ${why}`, { place: this.folder, remedy });
    }
    const best = steps ? undefined : (await this.best())?.step;
    const described = all.map((one) => ({ ...one, best: one.step === best, pinned: pinned.has(one.step) }));
    const doomed = steps ? all.filter(({ step }) => steps.includes(step)) : superfluous(described);
    const damaged = steps ? [] : (await this.damaged()).map((name) => join(this.folder, name));
    let bytes = 0;
    const removed: string[] = [];
    for (const file of [...doomed.map((saved) => saved.file), ...damaged]) {
      try {
        const { size } = await stat(file);
        await rm(file);
        bytes += size;
        removed.push(basename(file));
      } catch (error) {
        throw diskError(error, file);
      }
    }
    return { removed, bytes };
  }

  /**
   * Saves a checkpoint, then removes superfluous ones: never before the new one is on the disk. `score` measures "best"; without
   * it, the checkpoint cannot be the best.
   * @throws UnimissError 'disk'; earlier checkpoints are then unchanged
   */
  async save(
    step: number,
    tensors: readonly TensorSource[],
    metadata: Readonly<Record<string, string>>,
    score?: Score,
  ): Promise<SavedCheckpoint & { bytes: number; sha256: string }> {
    const file = this.fileOf(step);
    try {
      await makeFolder(this.folder);
      await removePartial(this.folder);
    } catch (error) {
      throw diskError(error, this.folder);
    }
    const written = await writeSafetensors(file, tensors, { ...metadata, step: String(step), ...scoreMetadata(score) });
    await this.prune();
    return { step, file, ...written };
  }

  /**
   * The checkpoint with the best score, by the headers (without verifying its data). If the direction of the run's score has
   * changed, it compares only checkpoints with the newest direction.
   */
  async best(): Promise<(SavedCheckpoint & { score: Score }) | undefined> {
    const scored: (SavedCheckpoint & { score: Score })[] = [];
    for (const saved of await this.list()) {
      const score = await readScore(saved.file, dirname(this.folder));
      if (score) scored.push({ ...saved, score });
    }
    const better = scored.at(-1)?.score.better;
    const sign = better === 'higher' ? -1 : 1;
    return scored
      .filter(({ score }) => score.better === better)
      .reduce<(typeof scored)[number] | undefined>(
        (best, each) => (best && sign * best.score.value < sign * each.score.value ? best : each),
        undefined,
      );
  }

  /**
   * The newest checkpoint whose checksum is right, open; the caller closes it. `notice` receives a message for each damaged one,
   * and the one before is tried. With `setAside` (for the owner of the run), damaged ones are renamed to `….damaged`, so that
   * they do not displace good ones; but never all of them.
   * @param options `remedy`: what to do if all are damaged
   * @returns undefined if there is no checkpoint
   * @throws UnimissError 'checkpoint' if all are damaged
   */
  async latestGood(
    notice: (message: string) => void,
    { setAside = false, remedy = 'Copy a good checkpoint into this folder.' } = {},
  ): Promise<(SavedCheckpoint & { tensors: SafetensorsFile }) | undefined> {
    const all = await this.list();
    const damaged: SavedCheckpoint[] = [];
    for (const saved of all.toReversed()) {
      let tensors: SafetensorsFile | undefined;
      try {
        tensors = await SafetensorsFile.open(saved.file, dirname(this.folder));
        await tensors.verify();
        if (setAside) await this.setAside(damaged);
        return { ...saved, tensors };
      } catch (error) {
        await tensors?.close();
        if (!(error instanceof UnimissError) || error.code !== 'checkpoint') throw error;
        notice(`The checkpoint of step ${saved.step} cannot be used; trying the previous one. ${error.message}`);
        damaged.push(saved);
      }
    }
    if (all.length === 0) return undefined;
    throw new UnimissError('checkpoint', `all ${all.length} checkpoints are damaged`, { place: this.folder, remedy });
  }

  /** Names of checkpoints that were set aside as damaged, oldest first. */
  async damaged(): Promise<string[]> {
    return (await this.names()).filter((name) => damagedPattern.test(name)).sort();
  }

  private async setAside(damaged: readonly SavedCheckpoint[]): Promise<void> {
    for (const { file } of damaged) await rename(file, `${file}.damaged`);
    if (damaged.length > 0) await syncFolder(this.folder);
  }

  private names(): Promise<string[]> {
    return readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  }

  private async prune(): Promise<void> {
    const all = await this.list();
    const keep = new Set(all.slice(-this.options.keepLast).map((saved) => saved.file));
    if (this.options.keepBest && all.length > keep.size) {
      const best = await this.best();
      if (best !== undefined) keep.add(best.file);
    }
    const pinned = await this.pinned();
    for (const { file, step } of all) if (!keep.has(file) && !pinned.has(step)) await rm(file, { force: true });
    // Keep the newest damaged one for inspection; each is as large as a checkpoint.
    for (const name of (await this.damaged()).slice(0, -1)) await rm(join(this.folder, name), { force: true });
  }
}

function pinOf(file: string): string {
  return file.replace(/\.safetensors$/, '.pinned');
}

/** The score in a header; undefined if there is none or the file cannot be read. */
async function readScore(file: string, within: string): Promise<Score | undefined> {
  let tensors: SafetensorsFile;
  try {
    tensors = await SafetensorsFile.open(file, within);
  } catch (error) {
    if (error instanceof UnimissError && error.code === 'checkpoint') return undefined;
    throw error;
  }
  const score = scoreOf(tensors.metadata);
  await tensors.close();
  return score;
}
