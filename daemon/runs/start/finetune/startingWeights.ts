import { stat } from 'node:fs/promises';
import { type FinetuneConfig, finetuneKind, requireFinetune } from '../../../../protocol/config/finetune/index.ts';
import { pretrainKind, requirePretrain } from '../../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import { openTensorFile } from '../../../checkpoint/openTensorFile.ts';
import { CheckpointStore } from '../../../checkpoint/store.ts';
import type { TensorFile } from '../../../checkpoint/tensorFile.ts';
import { type FirstValues, seededValues } from '../../../train/parameters/firstValues.ts';
import type { GridChoices } from '../../../train/parameters/positionGrids.ts';
import {
  describeWeights,
  planWeights,
  type TargetSpec,
  takeWeights,
  type WeightsReport,
} from '../../../train/parameters/takeWeights.ts';
import type { Finding } from '../../../train/training.ts';
import { RunFolder } from '../../folder/runFolder.ts';

type Start = Omit<FinetuneConfig['start'], 'twinOf'>;

/** Opened weights, and the size of images that their network was made for, if that is known. */
interface OpenedWeights extends Pick<GridChoices, 'size2D' | 'size3D'> {
  readonly tensors: TensorFile;
}

/**
 * The weights that a fine-tuning starts with: of a run (the last good checkpoint of a pre-training, the best one of a fine-tuning), a
 * safetensors or a PyTorch file; and what became of them.
 * @param start its `from` is not null
 * @param specs the parameters of the network
 * @param seed decides what the weights do not have
 * @throws UnimissError 'checkpoint' if there are none, they cannot be read, or they provide too little of the encoder
 */
export async function readStartingWeights(
  start: Start,
  specs: readonly TargetSpec[],
  { seed, onNotice }: { seed: number; onNotice: (message: string) => void },
): Promise<{ first: FirstValues; report: WeightsReport; finding: Finding }> {
  const from = pathOf(start);
  const { tensors, ...sizes } = await openWeights(from, onNotice);
  try {
    const options = { ...start, ...sizes, fresh: seededValues(seed) };
    const { first, report } = await takeWeights(tensors, specs, options);
    const { taken, resized, fresh, unused, prefix, encoderShare } = report;
    const details = {
      prefix,
      encoderShare,
      taken: taken.length,
      resized: resized.map(({ name, from, to }) => ({ name, from: [...from], to: [...to] })),
      fresh: [...fresh],
      unused: [...unused],
    };
    const message = describeWeights(tensors.file, report);
    return { first, report, finding: { event: 'notice', message, details } };
  } finally {
    await tensors.close();
  }
}

/** Whether the weights can be read as `readStartingWeights` does, without their values. Throws the same. */
export async function checkStartingWeights(start: Start, specs: readonly TargetSpec[]): Promise<void> {
  const { tensors, ...sizes } = await openWeights(pathOf(start), () => undefined);
  try {
    planWeights(tensors, specs, { ...start, ...sizes });
  } finally {
    await tensors.close();
  }
}

function pathOf({ from }: Start): string {
  if (from !== null) return from;
  throw new UnimissError('internal', 'is null: a run from scratch reads no weights', { place: 'start.from' });
}

async function openWeights(from: string, onNotice: (message: string) => void): Promise<OpenedWeights> {
  if (!(await isFolder(from))) return { tensors: await openTensorFile(from) };
  const run = await RunFolder.open(from);
  const store = new CheckpointStore(run.checkpointsFolder);
  const best = run.task === pretrainKind.task ? undefined : await store.best();
  const tensors = best ? await openTensorFile(best.file) : (await store.latestGood(onNotice))?.tensors;
  if (tensors) return { tensors, ...sizesOf(run) };
  throw new UnimissError('checkpoint', 'this run has no checkpoint yet', {
    place: from,
    remedy: 'Wait for the end of its first epoch, or stop the run: this saves a checkpoint.',
  });
}

function sizesOf({ config, task }: RunFolder): Pick<GridChoices, 'size2D' | 'size3D'> {
  if (task === pretrainKind.task) {
    const { size2D, size3D } = requirePretrain(config).model;
    return { size2D, size3D };
  }
  if (task !== finetuneKind.task) return {};
  const { modality, plan } = requireFinetune(config);
  return modality === '2D' ? { size2D: plan.patch } : { size3D: plan.patch };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
