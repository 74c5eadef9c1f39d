import { requireFinetune } from '../../../../protocol/config/finetune/index.ts';
import { messageOf, UnimissError } from '../../../../protocol/errors.ts';
import type { Exclusion } from '../../../../protocol/evaluation/common.ts';
import { evaluateTaskSchema } from '../../../../protocol/jobs/evaluateMessages.ts';
import { type NetworkPlan, writeNetworkPlan } from '../../folder/networkPlan.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import type { AfterTrainingOn } from '../../start/trainRun.ts';
import { openNetwork } from '../predict/network.ts';
import { labelsOf } from './caseLabels.ts';
import { excludingBroken } from './evaluated.ts';
import { LargestComponentTrial } from './largestComponentTrial.ts';
import { splitCases } from './splitCases.ts';

/**
 * Decides, when a segmentation has been trained, of which classes its predictions keep the largest component only: it predicts the cases for
 * validation with the best checkpoint, as `unimiss predict` would. What goes wrong is a warning of the run: the weights are good.
 * @returns false where it stopped on request
 */
export async function decideLargestComponent(run: RunFolder, on: AfterTrainingOn): Promise<boolean> {
  const { problem, data, train } = requireFinetune(run.config);
  // Cases that a network was trained on say nothing about new images.
  if (problem !== 'segmentation' || data.fold === 'all' || !train.validation.largestComponent) return true;
  try {
    return await decide(run, on);
  } catch (error) {
    // Whatever it is, also a defect of ours: the training has finished.
    on.warning(
      `It was not decided which classes keep only their largest component: ${messageOf(error)}\n\`unimiss evaluate ${run.id} --split validation\` decides it.`,
    );
    if (!(error instanceof UnimissError)) console.error(error); // with its stack, for the run's log
    return true;
  }
}

async function decide(run: RunFolder, on: AfterTrainingOn): Promise<boolean> {
  const opened = await splitCases(requireFinetune(run.config), run, 'validation');
  const network = await openNetwork(run, 'best', on.notice);
  try {
    const { plan } = network;
    const task = { ...evaluateTaskSchema.parse({ run: run.folder }), raw: true };
    const trial = LargestComponentTrial.of(plan);
    const exclusions: Exclusion[] = [];
    for (const [i, one] of opened.cases.entries()) {
      if (on.stopRequested()) return false;
      on.stage(`Finding the classes that keep only their largest component (${i} of ${opened.cases.length} cases)`);
      const labels = await excludingBroken(one, exclusions, () => labelsOf(network, opened, one, task));
      if (labels) trial.note(trial.changesOf({ size: labels.stored.size, ...labels }));
    }
    for (const { case: id, reason } of exclusions) on.warning(`${id} was not used: ${reason}`);
    await keepLargestComponent(run, plan, trial.classes, on.notice);
    return true;
  } finally {
    network.close();
  }
}

/** Records the decision in the run, for its predictions and exports. */
export async function keepLargestComponent(
  run: RunFolder,
  plan: NetworkPlan,
  classes: readonly string[],
  notice: (message: string) => void,
): Promise<void> {
  await writeNetworkPlan(run, { ...plan, largestComponent: [...classes] });
  if (classes.length > 0)
    notice(`Predictions of this run keep the largest component only: ${classes.join(', ')} (docs/prediction.md).`);
}
