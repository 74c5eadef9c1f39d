import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import type { PreparedSummary } from '../../../data/loader/labelled/types.ts';
import type { LabelFacts } from '../../../train/finetune/problem.ts';
import type { RunCases } from './cases.ts';

/** What the labels of the training cases say. @throws UnimissError 'config' for class weights of another number than there are classes */
export function labelFacts(
  { train, problem }: Pick<FinetuneConfig, 'train' | 'problem'>,
  { dataset, cases, training }: RunCases,
  summaries: readonly PreparedSummary[],
): LabelFacts {
  const outputs = dataset.labels.length;
  const facts = { outputs, ignore: dataset.ignore !== null };
  const { classWeights } = train;
  if (classWeights === null) return { ...facts, classWeights: undefined };
  if (classWeights !== 'balanced') {
    if (classWeights.length === outputs) return { ...facts, classWeights };
    throw new UnimissError('config', `has ${classWeights.length} weights, but there are ${outputs} classes`, {
      place: 'train.classWeights',
      remedy: `Their order is: ${dataset.labels.map(({ name }) => name).join(', ')}.`,
    });
  }
  const counts = new Array<number>(outputs).fill(0);
  for (const number of training) {
    if (problem === 'classification') for (const k of cases[number]?.classes ?? []) counts[k]!++;
    else addVoxels(counts, summaries[number]);
  }
  return { ...facts, classWeights: balanced(counts) };
}

/** Adds the voxels of each class; what has none of them is background. */
function addVoxels(counts: number[], summary: PreparedSummary | undefined): void {
  if (!summary) return;
  let rest = summary.size[0] * summary.size[1] * summary.size[2];
  for (const [label, voxels] of summary.voxels) {
    counts[label]! += voxels;
    rest -= voxels;
  }
  counts[0]! += rest;
}

/** Inverse to the counts, 1 on average over the classes that occur; a class that never occurs gets 1. */
export function balanced(counts: readonly number[]): number[] {
  const inverse = counts.map((count) => (count > 0 ? 1 / count : 0));
  const known = inverse.filter((weight) => weight > 0);
  const mean = known.reduce((a, b) => a + b, 0) / Math.max(1, known.length);
  return inverse.map((weight) => (weight > 0 ? weight / mean : 1));
}
