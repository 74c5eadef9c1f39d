import { UnimissError } from '../../../../protocol/errors.ts';
import { SafetensorsFile } from '../../../checkpoint/safetensorsReader.ts';
import { CheckpointStore } from '../../../checkpoint/store.ts';
import type { Size3 } from '../../../data/prepared/types.ts';
import { downstreamTable } from '../../../model/downstream.ts';
import { createForward } from '../../../train/finetune/forward.ts';
import { downstreamOf } from '../../../train/finetune/problem.ts';
import { ParameterSet } from '../../../train/parameters/parameterSet.ts';
import { readHead } from '../../checkpoint/format.ts';
import { type NetworkPlan, readNetworkPlan } from '../../folder/networkPlan.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import { openRunEngine } from '../../start/openRunEngine.ts';

/** A fine-tuned network that is used: its plan, and its scores of one window or image. */
export interface OpenNetwork {
  readonly plan: NetworkPlan;
  /** Of the checkpoint. */
  readonly step: number;
  /** Size of its input; a picture has one slice. */
  readonly window: Size3;
  /** @param images [1, …, channels] @returns logits [1, …, outputs] */
  run(images: Float32Array): Promise<Float32Array>;
  close(): void;
}

/**
 * Opens TensorFlow and a run's network.
 * @throws UnimissError 'run' for a run that is no fine-tuning or has not begun, 'checkpoint' where it has none that can be used
 */
export async function openNetwork(
  run: RunFolder,
  checkpoint: 'best' | 'last',
  notice: (message: string) => void,
): Promise<OpenNetwork> {
  const plan = await planOf(run);
  const { step, tensors } = await openCheckpoint(run, checkpoint, notice);
  try {
    readHead(tensors, run.task);
    const { engine } = await openRunEngine(run.config.engine, await run.versions(), notice);
    const model = downstreamOf({ ...plan, plan, model: { preset: plan.preset, dropPath: 0 } }, plan.classes.length);
    const parameters = ParameterSet.create(engine, 'network', downstreamTable(model));
    await parameters.load((name) => (tensors.tensors.has(name) ? tensors.readFloat32(name) : undefined));
    const forward = createForward(engine, { model, parameters }, { batch: 1 });
    const [first, second, third] = plan.patch;
    return {
      plan,
      step,
      window: third === undefined ? [1, first, second] : [first, second, third],
      run: (images) => forward.run(images),
      close() {
        forward.dispose();
        parameters.dispose();
      },
    };
  } finally {
    await tensors.close();
  }
}

async function planOf(run: RunFolder): Promise<NetworkPlan> {
  const plan = run.task === 'finetune' ? await readNetworkPlan(run) : undefined;
  if (plan) return plan;
  throw run.task === 'finetune'
    ? new UnimissError('run', 'has not opened its data set yet', {
        place: run.folder,
        remedy: 'Wait until it has trained for an epoch.',
      })
    : new UnimissError('run', `is a run of the kind "${run.task}", which predicts no labels`, {
        place: run.folder,
        remedy: 'Fine-tune its network on labelled images first: `unimiss finetune CONFIG --from RUN`.',
      });
}

async function openCheckpoint(run: RunFolder, which: 'best' | 'last', notice: (message: string) => void) {
  const store = new CheckpointStore(run.checkpointsFolder);
  const best = which === 'best' ? await store.best() : undefined;
  if (best) {
    const tensors = await SafetensorsFile.open(best.file, run.folder);
    try {
      await tensors.verify();
      return { step: best.step, tensors };
    } catch (error) {
      await tensors.close();
      if (!(error instanceof UnimissError) || error.code !== 'checkpoint') throw error;
      notice(`The best checkpoint cannot be used; taking the newest good one. ${error.message}`);
    }
  }
  const last = await store.latestGood(notice);
  if (last) return last;
  throw new UnimissError('checkpoint', 'this run has no checkpoint yet', {
    place: run.folder,
    remedy: 'Wait for the end of its first epoch, or stop the run: this saves a checkpoint.',
  });
}
