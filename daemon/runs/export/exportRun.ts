import { randomBytes } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { finetuneKind } from '../../../protocol/config/finetune/index.ts';
import { pretrainKind } from '../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import { type TensorSource, writeSafetensors } from '../../checkpoint/safetensorsWriter.ts';
import { scoreOf } from '../../checkpoint/score.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import { diskError, syncFolder, writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { readHead } from '../checkpoint/format.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { type AdaptationPlan, adaptationPlan } from './adaptationPlan.ts';
import { evaluationOf } from './evaluationOf.ts';
import { loadSnippet } from './loadSnippet.ts';
import { modelCard } from './modelCard.ts';

export interface ExportOptions {
  /** Which network of a pre-training. A fine-tuning has one. */
  readonly network: 'student' | 'teacher';
  /**
   * `best`: that with the best score, where the run has scores; `last`: the newest good one. Default: `last` of a pre-training, whose loss
   * says little about its features, and `best` of a fine-tuning. A number: the one of this step.
   */
  readonly checkpoint?: 'best' | 'last' | number | undefined;
  readonly onNotice: (message: string) => void;
}

export interface Exported {
  readonly folder: string;
  readonly plan: AdaptationPlan;
  /** Numbers in the weights. */
  readonly parameters: number;
}

/**
 * Writes a run's weights for others into a new folder: `model.safetensors`, `plan.json`, `README.md`, `load.py`. The folder
 * appears whole or not at all.
 * @throws UnimissError 'checkpoint' if the run has no good checkpoint; 'disk' if the folder is not empty or cannot be written
 */
export async function exportRun(run: RunFolder, out: string, options: ExportOptions): Promise<Exported> {
  const folder = resolve(out);
  await requireEmpty(folder);
  const { tensors, step } = await openCheckpoint(run, options);
  try {
    readHead(tensors, run.task);
    const role = run.task === pretrainKind.task ? options.network : 'network';
    const plan = await adaptationPlan(run, step, role);
    const sources = sourcesOf(tensors, role);
    const parameters = sources.reduce((sum, { shape }) => sum + shape.reduce((all, size) => all * size, 1), 0);
    const score = scoreOf(tensors.metadata);
    const measured = run.task === finetuneKind.task ? await evaluationOf(run, step, options.onNotice) : undefined;
    await writeFolder(folder, async (into) => {
      const metadata = { format: 'pt', plan: JSON.stringify(plan) };
      await writeSafetensors(join(into, 'model.safetensors'), sources, metadata);
      await writeTextAtomically(join(into, 'plan.json'), `${JSON.stringify(plan, null, 1)}\n`);
      await writeTextAtomically(join(into, 'README.md'), modelCard(plan, { parameters, score, evaluation: measured }));
      await writeTextAtomically(join(into, 'load.py'), loadSnippet);
    });
    return { folder, plan, parameters };
  } finally {
    await tensors.close();
  }
}

async function openCheckpoint(
  run: RunFolder,
  { checkpoint = run.task === pretrainKind.task ? 'last' : 'best', onNotice }: ExportOptions,
): Promise<{ tensors: SafetensorsFile; step: number }> {
  const store = new CheckpointStore(run.checkpointsFolder);
  const chosen =
    typeof checkpoint === 'number'
      ? await store.at(checkpoint)
      : checkpoint === 'best'
        ? await store.best()
        : undefined;
  if (chosen) {
    const tensors = await SafetensorsFile.open(chosen.file, run.folder);
    try {
      await tensors.verify();
      return { tensors, step: chosen.step };
    } catch (error) {
      await tensors.close();
      throw error;
    }
  }
  const saved = await store.latestGood(onNotice);
  if (saved) return saved;
  throw new UnimissError('checkpoint', 'this run has no checkpoint yet', {
    place: run.folder,
    remedy: 'Wait for the end of its first epoch, or stop the run: this saves a checkpoint.',
  });
}

/** The tensors of a network, without its role in the names. */
function sourcesOf(file: SafetensorsFile, role: string): TensorSource[] {
  const prefix = `${role}.`;
  const sources = [...file.tensors.values()].flatMap(({ name, dtype, shape }): TensorSource[] =>
    name.startsWith(prefix) ? [{ name: name.slice(prefix.length), dtype, shape, read: () => file.read(name) }] : [],
  );
  if (sources.length > 0) return sources;
  throw new UnimissError('checkpoint', `has no weights of the ${role}`, {
    place: file.file,
    remedy: 'Use another checkpoint of this run.',
  });
}

async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw diskError(error, folder);
  });
  if (names.length > 0)
    throw new UnimissError('disk', 'exists and is not empty', {
      place: folder,
      remedy: 'Choose another folder, or remove this one.',
    });
}

/** Makes a folder whole or not at all: it is written beside its place and renamed. */
async function writeFolder(folder: string, write: (into: string) => Promise<void>): Promise<void> {
  const above = dirname(folder);
  const temporary = join(above, `.${basename(folder)}.${process.pid}-${randomBytes(4).toString('hex')}.partial`);
  try {
    await makeFolder(temporary);
    await write(temporary);
    await rename(temporary, folder);
    await syncFolder(above);
  } catch (error) {
    // What counts is the first error.
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw diskError(error, folder);
  }
}
