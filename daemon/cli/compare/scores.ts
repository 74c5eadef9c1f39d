import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { armsOf, tasksOf } from '../../../protocol/compare/experiment.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { evaluation as evaluationSchema } from '../../../protocol/evaluation/evaluation.ts';
import { meanOf } from '../../evaluate/metrics/twoLevelBootstrap.ts';
import { evaluationFiles } from '../../evaluate/metrics/writeEvaluation.ts';
import type { ArmScores } from './armScores.ts';
import { askingElse, type OpenedExperiment } from './experimentFile.ts';
import type { FineTuning } from './fineTunings.ts';
import { chanceOf, type ExperimentImages, type LabelledImage, measuredIn, patientsOf } from './images.ts';
import { testCases } from './labelledFolder.ts';
import { probeIntensities } from './probes.ts';
import { imagesDigest, type Score, type ScoreLedger } from './scoreLedger.ts';

/** The scores of all arms by all tasks, as they were measured, with the baselines of intensities. */
export async function scoresOf(
  { experiment }: Pick<OpenedExperiment, 'experiment'>,
  images: ExperimentImages,
  ledger: ScoreLedger,
): Promise<ArmScores[]> {
  const { labels: counts, seeds } = experiment;
  const scores: ArmScores[] = [];
  for (const task of tasksOf(experiment))
    for (const modality of measuredIn(images)) {
      const test = images.test[modality];
      for (const arm of armsOf(experiment, task))
        for (const labels of counts) {
          const own = seeds.flatMap((seed) => ledger.get({ task, arm, modality, labels, seed }) ?? []);
          if (own.length === 0) continue; // no question asks for it
          scores.push({
            ...{ task, arm, modality, labels, patients: patientsOf(test) },
            chance: task === 'segmentation' ? null : chanceOf(test),
            seeds: own.map(({ seed }) => seed),
            accuracies: own.map(({ accuracy }) => accuracy),
            perImage: own.map(({ perImage }) => perImage),
          });
        }
    }
  return tasksOf(experiment).includes('probe') ? [...scores, ...(await probeIntensities(experiment, images))] : scores;
}

/**
 * The score of a fine-tuning by its evaluation on the test images.
 * @throws UnimissError 'data' where a training has read one of them
 */
export async function fineTunedScore(
  { task, arm, modality, labels, seed }: FineTuning,
  test: readonly LabelledImage[],
  folder: string,
): Promise<Score> {
  const evaluation = evaluationSchema.parse(JSON.parse(await readFile(join(folder, evaluationFiles.json), 'utf8')));
  if (evaluation.leakage.state === 'found')
    throw new UnimissError('data', `training has read test images: ${evaluation.leakage.cases.join(', ')}`, {
      place: folder,
      remedy: `Test on other images than the arms are trained on. ${askingElse}`,
    });
  const found = new Map<string, number | null>(
    evaluation.problem === 'segmentation'
      ? evaluation.cases.map((one) => [one.case, one.dice])
      : evaluation.cases.map((one) => [one.case, one.predicted[0] === one.reference[0] ? 1 : 0]),
  );
  const perImage = testCases(task, test).map((id) => found.get(id) ?? null);
  return {
    ...{ task, arm, modality, labels, seed },
    ...{ images: imagesDigest(test), accuracy: meanOf(perImage), perImage },
  };
}
