import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveConfig } from '../../../../protocol/config/index.ts';
import { parseConfig } from '../../../../protocol/config/parseConfig.ts';
import { writeSafetensors } from '../../../checkpoint/safetensorsWriter.ts';
import { CheckpointStore } from '../../../checkpoint/store.ts';
import { downstreamTable } from '../../../model/downstream.ts';
import { downstreamOf } from '../../../train/finetune/problem.ts';
import { seededValues } from '../../../train/parameters/firstValues.ts';
import { type NetworkPlan, writeNetworkPlan } from '../../folder/networkPlan.ts';
import { RunFolder } from '../../folder/runFolder.ts';

/** The plan of a network for the tests: the smallest preset, three exclusive classes in volumes as stored. */
export const smallPlan: NetworkPlan = {
  ...{ format: 1, problem: 'segmentation', modality: '3D', labels: 'exclusive', ignore: null, preset: 'nano' },
  classes: [
    { name: 'background', values: [0] },
    { name: 'liver', values: [5] },
    { name: 'spleen', values: [7] },
  ],
  ...{ patch: [16, 64, 64], fit: 'crop', spacing: null },
  channels: [{ name: 'MR', normalization: { scheme: 'zScore' } }],
};

function tensorsOf(plan: NetworkPlan, seed: number, prefix = '') {
  const model = downstreamOf({ ...plan, plan, model: plan }, plan.classes.length);
  const values = seededValues(seed);
  return downstreamTable(model).map((spec) => ({
    ...{ name: prefix + spec.name, shape: [...spec.shape], dtype: 'F32' as const, read: () => values(spec) },
  }));
}

/** An export with first values from a seed, as if it had been trained for 7 steps: labels without sense, but always the same. */
export async function untrainedExport(folder: string, change: Partial<NetworkPlan> = {}, seed = 1): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const plan = { ...smallPlan, ...change };
  await writeSafetensors(join(folder, 'model.safetensors'), tensorsOf(plan, seed), {});
  const exported = { format: 'unimiss-plan-1', task: 'finetune', step: 7, network: plan };
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(exported));
  return folder;
}

/** As `untrainedExport`, a run with a checkpoint. */
export async function untrainedRun(root: string, seed = 1): Promise<RunFolder> {
  const text = JSON.stringify({
    ...{ task: 'finetune', name: 'untrained', problem: 'segmentation', modality: '3D' },
    ...{ data: { path: root }, model: { preset: 'nano' } },
  });
  const run = await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'test'), { baseDir: root }));
  await writeNetworkPlan(run, smallPlan);
  const metadata = { format: 'unimiss-checkpoint-2', task: 'finetune', counters: '{"step":7}' };
  await new CheckpointStore(run.checkpointsFolder).save(7, tensorsOf(smallPlan, seed, 'network.'), metadata);
  return run;
}
