import type { ClassificationEvaluation } from '../../../../protocol/evaluation/classification.ts';
import type { Interval, Leakage } from '../../../../protocol/evaluation/common.ts';
import type { Evaluation } from '../../../../protocol/evaluation/evaluation.ts';
import type { SegmentationEvaluation } from '../../../../protocol/evaluation/segmentation.ts';
import { formatNumber } from './numbers.ts';

/** One paragraph of plain words: what was found, and how sure it is. */
export function inPlainWords(evaluation: Evaluation): string {
  const found = evaluation.problem === 'segmentation' ? segmentation(evaluation) : classification(evaluation);
  return [
    ...found,
    certainty(evaluation),
    compared(evaluation),
    leakageSentence(evaluation.leakage),
    excluded(evaluation),
  ]
    .filter(Boolean)
    .join(' ');
}

const plural = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
const range = (interval: Interval | null | undefined) =>
  interval ? ` (95 % interval ${formatNumber(interval.low)} to ${formatNumber(interval.high)})` : '';

function segmentation({ cases, patients, classes, summary, split }: SegmentationEvaluation): string[] {
  const sentences = [
    `${plural(cases.length, 'case')} of ${plural(patients, 'patient')} (${split}) ${cases.length === 1 ? 'was' : 'were'} compared with the reference, in ${plural(classes.length, 'class', 'classes')}.`,
  ];
  const dice = summary.metrics.dice;
  if (!dice) return [...sentences, 'No case has any of the classes, so nothing can be said.'];
  sentences.push(
    `On average over the classes, the Dice is ${formatNumber(dice.mean)}${range(dice.interval)}; 1 would be perfect agreement, 0 none.`,
  );
  const ranked = classes
    .flatMap((c) => {
      const mean = c.metrics.dice?.mean;
      return mean === undefined ? [] : [{ name: c.class, mean }];
    })
    .sort((a, b) => b.mean - a.mean);
  const [best, worst] = [ranked[0], ranked.at(-1)];
  if (best && worst && ranked.length > 1)
    sentences.push(
      `Best is ${best.name} (${formatNumber(best.mean)}), worst ${worst.name} (${formatNumber(worst.mean)}).`,
    );
  const { ok, missed, 'false-positive': extra, 'both-empty': empty } = summary.statuses;
  if (missed + extra > 0)
    sentences.push(
      `Of ${plural(ok + missed, 'structure')} in the reference, ${missed} ${missed === 1 ? 'was' : 'were'} not found at all; ${extra} ${extra === 1 ? 'was' : 'were'} predicted where there ${extra === 1 ? 'is' : 'are'} none.`,
    );
  else
    sentences.push(
      `All ${plural(ok, 'structure')} in the reference ${ok === 1 ? 'was' : 'were'} found, and none where there is none.`,
    );
  if (empty > 0)
    sentences.push(`Where neither prediction nor reference has a class (${empty} times), it enters no mean.`);
  return sentences;
}

function classification({ cases, patients, classes, metrics, split }: ClassificationEvaluation): string[] {
  const { auc, accuracy } = metrics;
  const sentences = [
    `${plural(cases.length, 'case')} of ${plural(patients, 'patient')} (${split}) ${cases.length === 1 ? 'was' : 'were'} classified into ${plural(classes.length, 'class', 'classes')}.`,
  ];
  if (accuracy && accuracy.value !== null)
    sentences.push(`${formatNumber(accuracy.value * 100)} % of the cases are right${percentRange(accuracy.interval)}.`);
  if (auc && auc.value !== null)
    sentences.push(`The AUC is ${formatNumber(auc.value)}${range(auc.interval)}; 1 would be perfect, 0.5 is chance.`);
  else sentences.push('An AUC cannot be computed, because cases of only one kind were evaluated.');
  const error = metrics.calibrationError?.value;
  if (error !== null && error !== undefined)
    sentences.push(
      `Stated probabilities differ from what came true by ${(error * 100).toFixed(1)} percentage points on average.`,
    );
  return sentences;
}

const percentRange = (interval: Interval | null) =>
  interval ? ` (95 % interval ${formatNumber(interval.low * 100)} to ${formatNumber(interval.high * 100)} %)` : '';

function certainty({ patients }: Evaluation): string {
  if (patients < 2) return 'From a single patient nothing can be concluded about others.';
  if (patients < 10)
    return `From only ${patients} patients little can be concluded: the intervals are too narrow, and other patients may differ much.`;
  if (patients < 50)
    return `With ${patients} patients the intervals are a rough guide to what other patients of the same source would show; scanners, hospitals and diseases that were not evaluated may differ more.`;
  return 'The intervals say what other patients of the same source would show; scanners, hospitals and diseases that were not evaluated may differ more.';
}

/** What the test of the number that comes first says. */
function compared({ comparison }: Evaluation): string {
  const [main] = comparison?.tests ?? [];
  return comparison && main ? `Compared with ${comparison.with}: ${main.sentence}` : '';
}

export function leakageSentence(leakage: Leakage): string {
  if (leakage.state === 'unknown')
    return `Whether training or pre-training has seen these images is unknown. ${leakage.reason}`;
  if (leakage.state === 'none')
    return `Training and pre-training have seen none of the ${plural(leakage.checked, 'image')} evaluated here.`;
  return `Caution: training or pre-training has seen ${plural(leakage.cases.length, 'of these cases', 'of these cases')}, so the numbers may be too good.`;
}

function excluded({ exclusions }: Evaluation): string {
  return exclusions.length === 0
    ? ''
    : `${plural(exclusions.length, 'case was', 'cases were')} not evaluated; the reasons stand below.`;
}
