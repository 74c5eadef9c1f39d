import { UnimissError } from '../../../protocol/errors.ts';
import type { ClassificationEvaluation } from '../../../protocol/evaluation/classification.ts';
import type { Comparison } from '../../../protocol/evaluation/common.ts';
import type { Evaluation } from '../../../protocol/evaluation/evaluation.ts';
import {
  type SegmentationEvaluation,
  segmentationMetricNames,
  segmentationMetrics,
} from '../../../protocol/evaluation/segmentation.ts';
import { brierOf } from './calibration.ts';
import { meanDefined } from './confusion.ts';
import { describeTest, pairedPermutationTest } from './permutation.ts';

/** One value a case; null where it has none. */
type Values = { patient: string; case: string; value: number | null }[];

interface Compared {
  readonly metric: string;
  readonly class: string | null;
  readonly what: string;
  readonly first: Values;
  readonly second: Values;
}

/**
 * Paired permutation tests between two runs that were evaluated on the same cases: one value a patient, the mean over the cases
 * that both have.
 * @throws UnimissError 'data' where the problems, conventions or tolerances differ
 */
export function compareEvaluations(first: Evaluation, second: Evaluation, seed = 0): Comparison[] {
  const refuse = (what: string) =>
    new UnimissError('data', `cannot compare ${first.name} with ${second.name}: ${what}`, {
      remedy: 'Evaluate both runs in the same way on the same cases.',
    });
  if (first.problem === 'segmentation' && second.problem === 'segmentation') {
    if (first.convention.name !== second.convention.name || first.toleranceMm !== second.toleranceMm)
      throw refuse('their conventions or tolerances differ');
    return ofSegmentation(first, second).map((one) => compare(one, [first.name, second.name], seed));
  }
  if (first.problem === 'classification' && second.problem === 'classification')
    return ofClassification(first, second).map((one) => compare(one, [first.name, second.name], seed));
  throw refuse(`one is a ${first.problem}, the other a ${second.problem}`);
}

function ofSegmentation(first: SegmentationEvaluation, second: SegmentationEvaluation): Compared[] {
  const overall = segmentationMetrics.map((metric): Compared => {
    const values = ({ cases }: SegmentationEvaluation): Values =>
      cases.map((one) => ({
        patient: one.patient,
        case: one.case,
        value: meanDefined(one.classes.map((c) => c[metric])),
      }));
    return {
      metric,
      class: null,
      what: `mean ${segmentationMetricNames[metric]}`,
      first: values(first),
      second: values(second),
    };
  });
  const byClass = first.classes.map(({ class: name }): Compared => {
    const values = ({ cases }: SegmentationEvaluation): Values =>
      cases.map((one) => ({
        patient: one.patient,
        case: one.case,
        value: one.classes.find((c) => c.class === name)?.dice ?? null,
      }));
    return { metric: 'dice', class: name, what: `Dice of ${name}`, first: values(first), second: values(second) };
  });
  return [...overall, ...byClass];
}

function ofClassification(first: ClassificationEvaluation, second: ClassificationEvaluation): Compared[] {
  const values = ({ cases }: ClassificationEvaluation, of: (one: (typeof cases)[number]) => number): Values =>
    cases.map((one) => ({ patient: one.patient, case: one.case, value: of(one) }));
  const right = (one: ClassificationEvaluation['cases'][number]) =>
    one.predicted.length === one.reference.length && one.predicted.every((c) => one.reference.includes(c)) ? 1 : 0;
  const brier = (one: ClassificationEvaluation['cases'][number]) => brierOf(one.probabilities, one.reference);
  return [
    { metric: 'accuracy', class: null, what: 'accuracy', first: values(first, right), second: values(second, right) },
    { metric: 'brier', class: null, what: 'Brier score', first: values(first, brier), second: values(second, brier) },
  ];
}

function compare(
  { metric, class: name, what, first, second }: Compared,
  names: readonly [string, string],
  seed: number,
): Comparison {
  const others = new Map(second.map((one) => [one.case, one.value]));
  const byPatient = new Map<string, { first: number[]; second: number[] }>();
  for (const { patient, case: id, value } of first) {
    const other = others.get(id) ?? null;
    if (value === null || other === null) continue;
    const own = byPatient.get(patient) ?? { first: [], second: [] };
    own.first.push(value);
    own.second.push(other);
    byPatient.set(patient, own);
  }
  const means = [...byPatient.values()].map((own) => [meanDefined(own.first)!, meanDefined(own.second)!] as const);
  const test = pairedPermutationTest(
    means.map(([a, b]) => b - a),
    seed,
  );
  return {
    metric,
    class: name,
    pairs: test.pairs,
    first: meanDefined(means.map(([a]) => a)),
    second: meanDefined(means.map(([, b]) => b)),
    effect: test.effect,
    p: test.p,
    exact: test.exact,
    sentence: describeTest(test, what, names),
  };
}
