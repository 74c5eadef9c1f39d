import { join } from 'node:path';
import { armsOf, type Experiment, type Measure, scoreNames, tasksOf } from '../../../protocol/compare/experiment.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { type Answer, type ArmMean, answersOf, meansOf } from './answers.ts';
import type { ArmScores } from './armScores.ts';
import type { Comparison, Section } from './comparison.ts';
import type { OpenedExperiment } from './experimentFile.ts';
import { type Figure, figureFile } from './figure.ts';
import { comparisonText } from './markdown.ts';
import { comparisonPage } from './page.ts';

/** Writes `report.html`, `report.md`, a figure for each task and modality, and `results.json`. */
export async function writeComparison(
  out: string,
  {
    experiment,
    hash,
    fixed,
    compute,
    processors,
    measured,
  }: Pick<OpenedExperiment, 'experiment' | 'hash'> & Pick<Comparison, 'fixed' | 'compute' | 'processors' | 'measured'>,
  scores: readonly ArmScores[],
): Promise<{ report: string; answers: readonly Answer[] }> {
  const answers = answersOf(experiment, scores);
  const means = meansOf(experiment, scores);
  const sections = tasksOf(experiment).flatMap((task) =>
    modalities.flatMap((modality) => sectionOf(experiment, task, modality, means)),
  );
  const comparison: Comparison = {
    ...{ experiment, hash, fixed, processors, measured, compute, answers, sections },
  };
  const results = {
    ...{ hash, fixed, processors, measured, compute, answers },
    scores: means.map(({ perImage: _, patients, ...rest }) => ({ ...rest, patients: new Set(patients).size })),
  };
  for (const { figure, figureName } of sections) await writeTextAtomically(join(out, figureName), figureFile(figure));
  await writeTextAtomically(join(out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  await writeTextAtomically(join(out, 'report.md'), comparisonText(comparison));
  const report = join(out, 'report.html');
  await writeTextAtomically(report, await comparisonPage(comparison));
  return { report, answers };
}

function sectionOf(
  experiment: Experiment,
  task: Measure,
  modality: Modality,
  all: readonly ArmMean[],
): Section | readonly [] {
  const means = all.filter((one) => one.task === task && one.modality === modality);
  if (means.length === 0) return [];
  const arms = armsOf(experiment, task).filter((name) => means.some(({ arm }) => arm === name));
  const lines = arms.map((name) => ({
    name,
    points: means
      .filter(({ arm }) => arm === name)
      .map(({ labels, mean, low, high }) => ({ x: labels, y: mean, low, high }))
      .sort((a, b) => a.x - b.x),
  }));
  const chance = means[0]?.chance ?? null;
  const figure: Figure = {
    ...{ id: `figure-${task}-${modality}`, lines },
    title: `${modality}: ${scoreNames[task]}`,
    ...{ x: 'labels of each class', y: scoreNames[task] },
    ...(chance !== null && { chance }),
  };
  return { task, modality, arms, means, figure, figureName: `figure-${task}-${modality}.svg` };
}
