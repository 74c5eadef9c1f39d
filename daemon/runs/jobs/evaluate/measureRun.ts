import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { z } from 'zod';
import { version } from '../../../../package.json';
import { requireFinetune } from '../../../../protocol/config/finetune/index.ts';
import type { Exclusion } from '../../../../protocol/evaluation/common.ts';
import type { EvaluateTask } from '../../../../protocol/jobs/evaluateMessages.ts';
import type { EvaluationOptions } from '../../../evaluate/metrics/evaluateSegmentation.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import type { OnJobProgress } from '../job.ts';
import { openNetwork } from '../predict/network.ts';
import { classifiedCases } from './classifiedCases.ts';
import { keepLargestComponent } from './decideLargestComponent.ts';
import type { Evaluated } from './evaluated.ts';
import { KeptLabels } from './keptLabels.ts';
import { LeakageCheck, weightsOf } from './leakageCheck.ts';
import { MeasuredCases } from './measuredCases.ts';
import { segmentedCases } from './segmentedCases.ts';
import { splitCases } from './splitCases.ts';

/** Raise it whenever the same network gives other numbers for the same case, so that old ones are not used. */
const measuring = 1;

/** What the cases of a run's split say about its network. */
export interface MeasuredRun extends Evaluated {
  readonly split: 'test' | 'validation';
  /** Step of the checkpoint. */
  readonly step: number;
  /** Cases that were measured. */
  readonly cases: number;
}

/**
 * Measures a run's network on a split of its data set, in the grid of each image. A case whose files cannot be read is excluded by name.
 * @param engineOf the run whose engine is used: a process has one
 * @throws UnimissError 'run', 'checkpoint', 'data' where no case is left
 */
export async function measureRun(
  run: RunFolder,
  task: EvaluateTask,
  { engineOf = run, ...on }: { engineOf?: RunFolder; notice: (message: string) => void; onProgress: OnJobProgress },
): Promise<MeasuredRun> {
  const config = requireFinetune(run.config);
  for (const notice of run.notices) on.notice(notice);
  const network = await openNetwork(run, task.checkpoint, on.notice, engineOf);
  try {
    const opened = await splitCases(config, run, task.split);
    const { split, cases } = opened;
    const exclusions: Exclusion[] = [];
    const options: EvaluationOptions = {
      ...{ name: run.id, split, exclusions },
      versions: { ...(await versionsOf(run)), checkpoint: `step ${network.step}` },
    };
    const leakage = await LeakageCheck.of(await weightsOf(run));
    const { plan, step } = network;
    const { overlap, mirror, toleranceMm, convention } = task;
    // Validation takes the labels as the network gives them.
    const decides = split === 'validation' ? { ...plan, largestComponent: [] } : plan;
    const how = { overlap, mirror, toleranceMm, convention };
    const { volume } = opened;
    const settings = {
      measuring,
      version,
      step,
      ...(volume !== null && { volume }),
      plan: decides,
      ...how,
      from: leakage.state,
    };
    const measured = <T>(result: z.ZodType<T>) =>
      MeasuredCases.open(join(run.folder, 'measured.jsonl'), { settings, result, notice: on.notice });
    const kept = config.records.hidePaths ? undefined : new KeptLabels(labelsFolder(run, { split, ...settings }), plan);
    const around = { kept, leakage, network, opened, task, options, exclusions, measured, onProgress: on.onProgress };
    const { evaluation, planes, viewable, largestComponent } =
      plan.problem === 'segmentation' ? await segmentedCases(around) : await classifiedCases(around);
    // Cases that a network was trained on say nothing about new images.
    if (largestComponent && config.data.fold !== 'all')
      await keepLargestComponent(run, plan, largestComponent, on.notice);
    const count = cases.length - exclusions.filter(({ case: id }) => cases.some((one) => one.id === id)).length;
    return {
      ...{ split, planes, step, cases: count },
      ...(viewable && { viewable }),
      evaluation: { ...evaluation, leakage: leakage.result() },
    };
  } finally {
    network.close();
  }
}

/** Another one for each way to measure: labels of one evaluation never replace those that another one shows. */
function labelsFolder({ folder }: RunFolder, { split, step, ...settings }: { split: string; step: number }): string {
  const hash = createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 8);
  return join(folder, 'measured', `${split}-${step}-${hash}`);
}

async function versionsOf(run: RunFolder): Promise<Record<string, string>> {
  const versions = await run.versions();
  return versions ? { UniMiSS: versions.unimiss, TensorFlow: versions.tensorflow, Node: versions.node } : {};
}
