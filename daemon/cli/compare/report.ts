import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Experiment, Question } from '../../../protocol/compare/experiment.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import {
  holm,
  type TwoLevelDifference,
  twoLevelDifference,
  twoLevelMean,
} from '../../evaluate/metrics/twoLevelBootstrap.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { figureOf, type Line } from './figure.ts';
import type { ArmScores } from './measure.ts';

/** A question with its answer. */
export interface Answer extends TwoLevelDifference {
  readonly question: Question;
  readonly primary: boolean;
  /** p after Holm's correction over all questions of the experiment. */
  readonly corrected: number;
}

/** Seed of the bootstraps: a result does not depend on when it is computed. */
const bootstrapSeed = 0;

export function answersOf({ primary, secondary, resamples }: Experiment, scores: readonly ArmScores[]): Answer[] {
  const questions = [primary, ...secondary];
  const rowsOf = (arm: string, { modality, labels }: Question) =>
    scores.find((one) => one.arm === arm && one.modality === modality && one.labels === labels)?.perImage ?? [];
  const found = questions.map((question) =>
    twoLevelDifference(rowsOf(question.better, question), rowsOf(question.than, question), {
      resamples,
      seed: bootstrapSeed,
      margin: question.margin,
    }),
  );
  const corrected = holm(found.map(({ p }) => p));
  return questions.map((question, i) => ({ ...found[i]!, question, primary: i === 0, corrected: corrected[i]! }));
}

const three = (value: number) => value.toFixed(3);
const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
const pOf = (value: number) => (value < 0.001 ? '< 0.001' : three(value));

/** An answer in plain words. */
export function inWords({ question, difference, low, high, corrected, primary }: Answer, seeds: number): string {
  const { better, than, modality, labels, margin } = question;
  const what = `${modality}, ${labels} label${labels === 1 ? '' : 's'} a class`;
  const measured = `difference ${signed(difference)}, 95 % interval ${signed(low)} to ${signed(high)}, p = ${pOf(corrected)} after Holm's correction`;
  const yes = corrected < 0.05;
  const claim = margin > 0 ? `not worse than \`${than}\` by more than ${margin}` : `better than \`${than}\``;
  const kind = primary ? 'Primary question' : 'Further question';
  const few =
    seeds < 5
      ? ` ${seeds} ${seeds === 1 ? 'seed is' : 'seeds are'} few: another training may give another answer.`
      : '';
  return `${kind} (${what}): ${yes ? `\`${better}\` is ${claim}` : `it is not shown that \`${better}\` is ${claim}`} (${measured}).${few}`;
}

/** Writes `report.md`, `figure-2D.svg`, `figure-3D.svg` and `results.json`. @returns the path of the report */
export async function writeComparison(
  out: string,
  { experiment, hash, fixed }: { experiment: Experiment; hash: string; fixed: string },
  scores: readonly ArmScores[],
): Promise<{ report: string; answers: Answer[] }> {
  const answers = answersOf(experiment, scores);
  const { resamples, seeds } = experiment;
  const means = scores.map((own) => ({ ...own, ...twoLevelMean(own.perImage, { resamples, seed: bootstrapSeed }) }));
  const measured = modalities.filter((modality) => scores.some((own) => own.modality === modality));
  const parts = [`# ${experiment.name}\n`];
  parts.push(answers.map((answer) => inWords(answer, seeds.length)).join('\n\n'));
  for (const modality of measured) {
    const own = means.filter((one) => one.modality === modality);
    const arms = [...new Set(own.map(({ arm }) => arm))];
    const cell = (arm: string, labels: number) => {
      const one = own.find((each) => each.arm === arm && each.labels === labels);
      return one ? `${three(one.mean)} [${three(one.low)}, ${three(one.high)}]` : '';
    };
    const rows = arms.map((arm) => `| ${arm} | ${experiment.labels.map((labels) => cell(arm, labels)).join(' | ')} |`);
    parts.push(`## ${modality}\n\nAccuracy of a linear probe; 95 % interval over seeds and images.\n`);
    parts.push(
      [
        `| arm | ${experiment.labels.map((n) => `${n} a class`).join(' | ')} |`,
        `|---|${experiment.labels.map(() => '---|').join('')}`,
        ...rows,
      ].join('\n'),
    );
    parts.push(`![Accuracy over labels](figure-${modality}.svg)`);
    await writeTextAtomically(join(out, `figure-${modality}.svg`), figure(modality, arms, own));
    const perSeed = arms.map(
      (arm) =>
        `| ${arm} | ${seeds.map((_, s) => experiment.labels.map((labels) => three(own.find((each) => each.arm === arm && each.labels === labels)?.accuracies[s] ?? Number.NaN)).join(' / ')).join(' | ')} |`,
    );
    parts.push(
      [
        `| by seed (${experiment.labels.join(' / ')} a class) | ${seeds.join(' | ')} |`,
        `|---|${seeds.map(() => '---|').join('')}`,
        ...perSeed,
      ].join('\n'),
    );
  }
  parts.push(`Fixed on ${fixed}, SHA-256 ${hash}. Processor: ${cpus()[0]?.model ?? 'unknown'}.\n`);
  const report = join(out, 'report.md');
  const results = {
    hash,
    answers,
    scores: means.map(({ perImage: _, ...rest }) => rest),
  };
  await writeTextAtomically(join(out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  await writeTextAtomically(report, parts.join('\n\n'));
  return { report, answers };
}

function figure(
  modality: Modality,
  arms: readonly string[],
  own: readonly (ArmScores & { mean: number; low: number; high: number })[],
): string {
  const lines = arms.map(
    (arm): Line => ({
      name: arm,
      points: own
        .filter((each) => each.arm === arm)
        .map(({ labels, mean, low, high }) => ({ x: labels, y: mean, low, high })),
    }),
  );
  return figureOf(lines, { title: `${modality}: accuracy of a linear probe`, x: 'labels of each class' });
}
