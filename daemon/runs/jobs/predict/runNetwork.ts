import { UnimissError } from '../../../../protocol/errors.ts';
import { SafetensorsFile } from '../../../checkpoint/safetensorsReader.ts';
import { CheckpointStore } from '../../../checkpoint/store.ts';
import { readHead } from '../../checkpoint/format.ts';
import { type NetworkPlan, readNetworkPlan } from '../../folder/networkPlan.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import { fileIdentity, type NetworkSource } from './networkSource.ts';

/** The network of a run. @throws UnimissError 'run' for a run that is no fine-tuning, or has not begun */
export async function networkOfRun(run: RunFolder): Promise<NetworkSource> {
  return {
    ...{ folder: run.folder, id: run.id, plan: await planOf(run), engine: run.config.engine },
    ...{ versions: await run.versions(), notices: run.notices },
    async identity(which) {
      const store = new CheckpointStore(run.checkpointsFolder);
      const best = which === 'best' ? await store.best() : undefined;
      return fileIdentity((best ?? (await store.list()).at(-1))?.file ?? run.checkpointsFolder);
    },
    async openWeights(which, notice) {
      const { step, tensors: file } = await openCheckpoint(run, which, notice);
      try {
        readHead(file, run.task);
      } catch (error) {
        await file.close();
        throw error;
      }
      return { step, file, prefix: 'network.' };
    },
  };
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
