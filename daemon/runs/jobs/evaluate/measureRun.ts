import { requireFinetune } from '../../../../protocol/config/finetune/index.ts';
import type { Exclusion } from '../../../../protocol/evaluation/common.ts';
import type { EvaluateTask } from '../../../../protocol/jobs/evaluateMessages.ts';
import type { EvaluationOptions } from '../../../evaluate/metrics/evaluateSegmentation.ts';
import { writeNetworkPlan } from '../../folder/networkPlan.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import type { OnJobProgress } from '../job.ts';
import { openNetwork } from '../predict/network.ts';
import { classifiedCases } from './classifiedCases.ts';
import type { Evaluated } from './evaluated.ts';
import { LeakageCheck } from './leakageCheck.ts';
import { segmentedCases } from './segmentedCases.ts';
import { splitCases } from './splitCases.ts';

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
    const leakage = await LeakageCheck.of(config.start.from);
    const around = { leakage, network, opened, task, options, exclusions, onProgress: on.onProgress };
    const { evaluation, planes, largestComponent } =
      network.plan.problem === 'segmentation' ? await segmentedCases(around) : await classifiedCases(around);
    // Cases that a network was trained on say nothing about new images.
    if (largestComponent && config.data.fold !== 'all') {
      await writeNetworkPlan(run, { ...network.plan, largestComponent: [...largestComponent] });
      if (largestComponent.length > 0)
        on.notice(
          `Predictions of this run keep the largest component only: ${largestComponent.join(', ')} (docs/prediction.md).`,
        );
    }
    const measured = cases.length - exclusions.length;
    return {
      ...{ split, planes, step: network.step, cases: measured },
      evaluation: { ...evaluation, leakage: leakage.result(measured) },
    };
  } finally {
    network.close();
  }
}

async function versionsOf(run: RunFolder): Promise<Record<string, string>> {
  const versions = await run.versions();
  return versions ? { UniMiSS: versions.unimiss, TensorFlow: versions.tensorflow, Node: versions.node } : {};
}
