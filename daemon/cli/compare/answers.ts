import { describeMeasure, type Experiment, type Question, taskOf } from '../../../protocol/compare/experiment.ts';
import {
  holm,
  type TwoLevelDifference,
  twoLevelDifference,
  twoLevelMean,
} from '../../evaluate/metrics/twoLevelBootstrap.ts';
import type { ArmScores } from './armScores.ts';

/** A question with its answer. */
export interface Answer extends TwoLevelDifference {
  readonly question: Question;
  readonly primary: boolean;
  /** p after Holm's correction over all questions of the experiment. */
  readonly corrected: number;
}

/** An arm's mean score with its 95 % interval over seeds and patients. */
export interface ArmMean extends ArmScores {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Seed of the bootstraps: a result does not depend on when it is computed. */
const bootstrapSeed = 0;
/** A question is answered yes where the corrected p is below this. */
const level = 0.05;
/** Fewer seeds of training say little about another one. */
const fewSeeds = 5;

export function answersOf({ primary, secondary, resamples }: Experiment, scores: readonly ArmScores[]): Answer[] {
  const questions = [primary, ...secondary];
  const found = questions.map((question) => {
    const of = (arm: string) =>
      scores.find(
        (one) =>
          one.task === taskOf(question) &&
          one.arm === arm &&
          one.modality === question.modality &&
          one.labels === question.labels,
      );
    const [better, than] = [of(question.better), of(question.than)];
    return twoLevelDifference(better?.perImage ?? [], than?.perImage ?? [], {
      ...{ resamples, seed: bootstrapSeed, margin: question.margin },
      ...(better && { patients: better.patients }),
    });
  });
  const corrected = holm(found.map(({ p }) => p));
  return found.map((one, i) => ({
    ...{ ...one, question: questions[i] ?? primary, primary: i === 0, corrected: corrected[i] ?? 1 },
  }));
}

export function meansOf({ resamples }: Experiment, scores: readonly ArmScores[]): ArmMean[] {
  return scores.map((own) => {
    const { perImage, patients } = own;
    return { ...own, ...twoLevelMean(perImage, { resamples, seed: bootstrapSeed, patients }) };
  });
}

export const three = (value: number) => value.toFixed(3);
export const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
export const pOf = (value: number) => (value < 0.001 ? '< 0.001' : three(value));

export function isYes({ corrected }: Answer): boolean {
  return corrected < level;
}

/** What a question claims, without quotation marks. */
export function claimOf({ better, than, margin }: Question): string {
  return margin > 0 ? `${better} is not worse than ${than} by more than ${margin}` : `${better} is better than ${than}`;
}

/** An answer in plain words. */
export function inWords(answer: Answer): string {
  const { question, difference, low, high, corrected, primary } = answer;
  const measured = `difference ${signed(difference)}, 95 % interval ${signed(low)} to ${signed(high)}, p = ${pOf(corrected)} after Holm's correction`;
  const kind = primary ? 'Primary question' : 'Further question';
  const what = describeMeasure(taskOf(question), question.modality, question.labels);
  const claim = claimOf(question);
  const against = high < -question.margin ? '; the interval speaks against it' : '';
  return `${kind} (${what}): ${isYes(answer) ? claim : `it is not shown that ${claim}${against}`} (${measured}).`;
}

/** All answers in short, and what limits them. */
export function summaryOf(answers: readonly Answer[], { seeds }: Experiment): string {
  const yes = answers.filter(isYes).length;
  const parts = [
    answers.length === 1
      ? ''
      : `${yes === 0 ? 'None' : yes} of the ${answers.length} questions ${yes === 1 ? 'is' : 'are'} answered with yes.`,
    'A question that is not answered with yes is not answered with no: the difference may be too small for these seeds and patients.',
    seeds.length < fewSeeds
      ? `${seeds.length} ${seeds.length === 1 ? 'seed is' : 'seeds are'} few: another training may give another answer.`
      : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}
