import { readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';
import { diskError, removePartial, syncFolder } from '../files/atomic.ts';
import { makeFolder } from '../files/folder.ts';
import { SafetensorsFile } from './safetensorsReader.ts';
import { type TensorSource, writeSafetensors } from './safetensorsWriter.ts';

export interface SavedCheckpoint {
  /** Optimiser steps done when it was saved. */
  readonly step: number;
  readonly file: string;
}

export interface StoreOptions {
  /** How many of the newest to keep, at least 1. */
  keepLast: number;
  /** Whether to keep the one with the lowest score as well. */
  keepBest: boolean;
}

const scoreKey = 'score';
const namePattern = /^step-(\d{9,15})\.safetensors$/;

/**
 * The checkpoints of a run: `step-000001200.safetensors` and so on, in one folder. Only the holder of the run's lock may
 * save, set aside or remove; anybody may list and read.
 */
export class CheckpointStore {
  constructor(
    readonly folder: string,
    private readonly options: StoreOptions = { keepLast: 2, keepBest: true },
  ) {}

  fileOf(step: number): string {
    return join(this.folder, `step-${String(step).padStart(9, '0')}.safetensors`);
  }

  /** All checkpoints by their names, oldest first, unread; [] where the folder is not there. */
  async list(): Promise<SavedCheckpoint[]> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names
      .flatMap((name) => {
        const step = namePattern.exec(name)?.[1];
        return step === undefined ? [] : [{ step: Number(step), file: join(this.folder, name) }];
      })
      .sort((a, b) => a.step - b.step);
  }

  /**
   * Saves a checkpoint, then removes those that need not be kept: never before the new one is on the disk.
   * `score`: what "best" is measured by, lower is better (the mean loss of the last epoch); without, it cannot be the best.
   * Throws UnimissError 'disk'; the checkpoints before are untouched then.
   */
  async save(
    step: number,
    tensors: readonly TensorSource[],
    metadata: Readonly<Record<string, string>>,
    score?: number,
  ): Promise<SavedCheckpoint & { bytes: number; sha256: string }> {
    const file = this.fileOf(step);
    try {
      await makeFolder(this.folder);
      await removePartial(this.folder);
    } catch (error) {
      throw diskError(error, this.folder);
    }
    const scored: Record<string, string> = Number.isFinite(score) ? { [scoreKey]: String(score) } : {};
    const written = await writeSafetensors(file, tensors, { ...metadata, step: String(step), ...scored });
    await this.prune();
    return { step, file, ...written };
  }

  /** The checkpoint with the lowest score, by the headers (its data are not verified). */
  async best(): Promise<(SavedCheckpoint & { score: number }) | undefined> {
    let best: (SavedCheckpoint & { score: number }) | undefined;
    for (const saved of await this.list()) {
      const score = await scoreOf(saved.file, dirname(this.folder));
      if (score !== undefined && (best === undefined || score <= best.score)) best = { ...saved, score };
    }
    return best;
  }

  /**
   * The newest checkpoint whose checksum is right, open; the caller closes it. A damaged one is told to `notice` and the one
   * before is taken; with `setAside` (for the owner of the run) it is renamed to `….damaged`, so that it is not kept in place of good ones.
   * `undefined` where there is no checkpoint at all. Throws UnimissError 'checkpoint' where all are damaged.
   */
  async latestGood(
    notice: (message: string) => void,
    { setAside = false } = {},
  ): Promise<(SavedCheckpoint & { tensors: SafetensorsFile }) | undefined> {
    const all = await this.list();
    for (const saved of all.reverse()) {
      let tensors: SafetensorsFile | undefined;
      try {
        tensors = await SafetensorsFile.open(saved.file, dirname(this.folder));
        await tensors.verify();
        return { ...saved, tensors };
      } catch (error) {
        await tensors?.close();
        if (!(error instanceof UnimissError)) throw error;
        notice(`The checkpoint of step ${saved.step} cannot be used, the one before is taken. ${error.message}`);
        if (setAside) {
          await rename(saved.file, `${saved.file}.damaged`);
          await syncFolder(this.folder);
        }
      }
    }
    if (all.length === 0) return undefined;
    throw new UnimissError('checkpoint', `all ${all.length} checkpoints are damaged`, {
      place: this.folder,
      remedy: 'Start the run anew, or copy a good checkpoint into this folder.',
    });
  }

  private async prune(): Promise<void> {
    const all = await this.list();
    const keep = new Set(all.slice(-this.options.keepLast).map((saved) => saved.file));
    if (this.options.keepBest && all.length > keep.size) {
      const best = await this.best();
      if (best !== undefined) keep.add(best.file);
    }
    for (const { file } of all) if (!keep.has(file)) await rm(file, { force: true });
  }
}

/** The score in a header; `undefined` where there is none or the file cannot be read. */
async function scoreOf(file: string, within: string): Promise<number | undefined> {
  let tensors: SafetensorsFile;
  try {
    tensors = await SafetensorsFile.open(file, within);
  } catch (error) {
    if (error instanceof UnimissError && error.code === 'checkpoint') return undefined;
    throw error;
  }
  const score = Number(tensors.metadata[scoreKey] ?? Number.NaN);
  await tensors.close();
  return Number.isFinite(score) ? score : undefined;
}
