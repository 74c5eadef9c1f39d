import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { armsOf, fineTuned, tasksOf } from '../../../protocol/compare/experiment.ts';
import { evaluation as evaluationSchema } from '../../../protocol/evaluation/evaluation.ts';
import { modalities } from '../../../protocol/modality.ts';
import { meanOf } from '../../evaluate/metrics/twoLevelBootstrap.ts';
import { evaluationFiles } from '../../evaluate/metrics/writeEvaluation.ts';
import type { ArmScores } from './armScores.ts';
import type { OpenedExperiment } from './experimentFile.ts';
import { fineTunings } from './fineTunings.ts';
import { chanceOf, type ExperimentImages, patientsOf } from './images.ts';
import { testCases } from './labelledFolder.ts';
import { probeArms } from './probes.ts';
import { evaluationFolder } from './runArms.ts';

/** Measures all arms by all tasks. */
export async function measureArms(
  opened: OpenedExperiment,
  images: ExperimentImages,
  out: string,
): Promise<ArmScores[]> {
  const { experiment } = opened;
  const tasks = tasksOf(experiment);
  const probes = tasks.includes('probe') ? await probeArms(opened, images, out) : [];
  const measured = modalities.filter((modality) => images.test[modality].length > 0);
  const tunings = fineTunings(experiment, measured);
  const scores = [...probes];
  for (const task of fineTuned.filter((one) => tasks.includes(one)))
    for (const modality of measured) {
      const [ids, patients] = [testCases(task, images.test[modality]), patientsOf(images.test[modality])];
      for (const arm of armsOf(experiment, task))
        for (const labels of experiment.labels) {
          const own = tunings.filter(
            (one) => one.task === task && one.modality === modality && one.arm === arm && one.labels === labels,
          );
          if (own.length === 0) continue; // no question asks for it
          const perImage = await Promise.all(own.map(({ name }) => readScores(evaluationFolder(out, name), ids)));
          scores.push({
            ...{ task, arm, modality, labels, patients, perImage },
            chance: task === 'classification' ? chanceOf(images.test[modality]) : null,
            seeds: own.map(({ seed }) => seed),
            accuracies: perImage.map(meanOf),
          });
        }
    }
  return scores;
}

/** The score of each test case in an evaluation. */
async function readScores(folder: string, ids: readonly string[]): Promise<(number | null)[]> {
  const evaluation = evaluationSchema.parse(JSON.parse(await readFile(join(folder, evaluationFiles.json), 'utf8')));
  const found = new Map<string, number | null>(
    evaluation.problem === 'segmentation'
      ? evaluation.cases.map((one) => [one.case, one.dice])
      : evaluation.cases.map((one) => [one.case, one.predicted[0] === one.reference[0] ? 1 : 0]),
  );
  return ids.map((id) => found.get(id) ?? null);
}
