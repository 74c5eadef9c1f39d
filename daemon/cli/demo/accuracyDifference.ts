import type { ClassificationEvaluation, ClassifiedCase } from '../../../protocol/evaluation/classification.ts';
import { type TwoLevelDifference, twoLevelDifference } from '../../evaluate/metrics/twoLevelBootstrap.ts';

type Cases = Pick<ClassificationEvaluation, 'cases'>;

/**
 * Difference of two networks' accuracies on the images that both were tested on, with its 95 % interval: a paired bootstrap over
 * patients. It holds what other test images would change, not what another training would.
 * @returns null where they have fewer than two patients in common
 */
export function accuracyDifference(first: Cases, second: Cases): Omit<TwoLevelDifference, 'p'> | null {
  const others = new Map(second.cases.map((one) => [one.case, right(one)]));
  const byPatient = new Map<string, { first: number; second: number; cases: number }>();
  for (const one of first.cases) {
    const other = others.get(one.case);
    if (other === undefined) continue;
    const sums = byPatient.get(one.patient) ?? { first: 0, second: 0, cases: 0 };
    byPatient.set(one.patient, {
      first: sums.first + right(one),
      second: sums.second + other,
      cases: sums.cases + 1,
    });
  }
  if (byPatient.size < 2) return null;
  const patients = [...byPatient.values()];
  const { difference, low, high } = twoLevelDifference(
    [patients.map((one) => one.first / one.cases)],
    [patients.map((one) => one.second / one.cases)],
    { resamples: 2000, seed: 0 },
  );
  return { difference, low, high };
}

/** 1 where exactly the classes of the reference were predicted, else 0. */
function right({ predicted, reference }: ClassifiedCase): number {
  return predicted.length === reference.length && predicted.every((one) => reference.includes(one)) ? 1 : 0;
}
