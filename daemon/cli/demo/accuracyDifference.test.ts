import { expect, it } from 'vitest';
import type { ClassifiedCase } from '../../../protocol/evaluation/classification.ts';
import { accuracyDifference } from './accuracyDifference.ts';

/** Cases of one patient each, right (1) or wrong (0). */
const cases = (rights: readonly number[], patient = (n: number) => `patient ${n}`): { cases: ClassifiedCase[] } => ({
  cases: rights.map((right, n) => ({
    ...{ case: `case ${n}`, patient: patient(n) },
    ...{ probabilities: [right, 1 - right], reference: [0], predicted: [right ? 0 : 1] },
  })),
});
const shared = (share: number) => cases(Array.from({ length: 40 }, (_, n) => (n < 40 * share ? 1 : 0)));
const [all, half, none] = [shared(1), shared(0.5), shared(0)];

it('is the difference of the shares that are right, within its interval; the order gives the sign', () => {
  const found = accuracyDifference(all, half);
  expect(found?.difference).toBe(0.5);
  expect(found?.low).toBeGreaterThan(0.3);
  expect(found?.low).toBeLessThan(0.5);
  expect(found?.high).toBeLessThan(0.7);
  expect(accuracyDifference(half, all)?.difference).toBe(-0.5);
  expect(accuracyDifference(all, none)).toEqual({ difference: 1, low: 1, high: 1 });
});

it('counts a patient once, and cases that only one has not at all', () => {
  const two = (n: number) => (n < 39 ? 'one' : 'other');
  expect(
    accuracyDifference(cases(new Array(40).fill(1), two), cases([...new Array(39).fill(0), 1], two)),
  ).toMatchObject({
    difference: 0.5,
  });
  expect(accuracyDifference(all, { cases: half.cases.slice(0, 20) })?.difference).toBe(0);
  expect(accuracyDifference(all, { cases: all.cases.slice(0, 1) })).toBeNull();
});
