import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../../checkpoint/safetensorsWriter.ts';
import { downstreamTable } from '../../../model/downstream.ts';
import { downstreamOf } from '../../../train/finetune/problem.ts';
import { seededValues } from '../../../train/parameters/firstValues.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

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

/**
 * An export with first values from a seed, as if it had been trained for 7 steps: labels without sense, but always the same.

 */
export async function untrainedExport(folder: string, change: Partial<NetworkPlan> = {}, seed = 1): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const plan = { ...smallPlan, ...change };
  const model = downstreamOf({ ...plan, plan, model: { preset: plan.preset, dropPath: 0 } }, plan.classes.length);
  const values = seededValues(seed);
  const tensors = downstreamTable(model).map((spec) => ({
    ...{ name: spec.name, shape: [...spec.shape], dtype: 'F32' as const, read: () => values(spec) },
  }));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, {});
  const exported = { format: 'unimiss-plan-1', task: 'finetune', step: 7, network: plan };
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(exported));
  return folder;
}
