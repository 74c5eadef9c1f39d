import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classificationEvaluation } from '../../../protocol/evaluation/classification.ts';
import { computed, readGolden } from '../../../test/golden/values.ts';
import { type ClassificationCaseInput, evaluateClassification } from './evaluateClassification.ts';
import { Ranking } from './ranking.ts';

interface Golden {
  scores: string;
  labels: string;
  n: number;
  classes: number;
  confusion: number[][];
  [metric: string]: unknown;
}
const { classification } = readGolden<{ classification: Golden[] }>('metrics.json');

function casesOf({ scores, labels, n, classes }: Golden): ClassificationCaseInput[] {
  const [score, label] = [computed(scores), computed(labels)];
  return Array.from({ length: n }, (_, i) => {
    const own = Math.floor(((label(i) + 1) / 2) * classes);
    const logits = Array.from({ length: classes }, (_, c) => 3 * score(i * classes + c) + (c === own ? 1 : 0));
    const powers = logits.map(Math.exp);
    const sum = powers.reduce((a, b) => a + b, 0);
    return { id: `${i}`, patient: `${i}`, reference: [own], probabilities: powers.map((p) => p / sum) };
  });
}
const options = (classes: number) => ({
  name: 'run',
  split: 'test',
  exclusive: true,
  resamples: 50,
  classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
});

describe('golden numbers', () => {
  test.each(classification)('$classes classes', (golden) => {
    const got = evaluateClassification(casesOf(golden), options(golden.classes));
    expect(classificationEvaluation.parse(got)).toEqual(got);
    expect(got.confusion).toEqual(golden.confusion);
    const ours: Record<string, number | null | undefined> = {
      accuracy: got.metrics.accuracy?.value,
      balancedAccuracy: got.metrics.balancedAccuracy?.value,
      f1Macro: got.metrics.f1?.value,
      auc: got.metrics.auc?.value,
      aucMacroOvR: got.metrics.auc?.value,
      averagePrecision: got.metrics.averagePrecision?.value,
      averagePrecisionMacro: got.metrics.averagePrecision?.value,
      sensitivity: got.classes[1]?.sensitivity.value,
      specificity: got.classes[1]?.specificity.value,
      expectedCalibrationError15: got.metrics.calibrationError?.value,
      brier: got.metrics.brier?.value,
    };
    const wanted = Object.entries(golden).filter((entry): entry is [string, number] => entry[0] in ours);
    expect(wanted.length).toBeGreaterThanOrEqual(7);
    for (const [name, value] of wanted) expect(Math.abs(ours[name]! - value), name).toBeLessThan(1e-6);
  });
});

const one = (id: string, p: number, positive: boolean, patient = id): ClassificationCaseInput => ({
  id,
  patient,
  probabilities: [1 - p, p],
  reference: [positive ? 1 : 0],
});

describe('by hand', () => {
  test('a threshold chosen on validation decides sensitivity and specificity', () => {
    // Validation: 0.2 −, 0.3 +, 0.4 −, 0.6 +. From the top: 0.6 gives 1/2 + 1; 0.4: 1/2 + 1/2; 0.3: 1 + 1/2. First best: 0.6.
    const validation = [one('a', 0.2, false), one('b', 0.3, true), one('c', 0.4, false), one('d', 0.6, true)];
    const cases = [one('e', 0.45, false), one('f', 0.55, true), one('g', 0.7, true), one('h', 0.9, false)];
    const got = evaluateClassification(cases, { ...options(2), validation });
    expect(got.thresholds).toBe('validation');
    expect(got.classes[1]!.threshold).toBeCloseTo(0.5, 12);
    expect(got.classes[1]!.sensitivity.value).toBe(1);
    expect(got.classes[1]!.specificity.value).toBe(0.5);
  });

  test('classes that may overlap: exact matches, F1 and calibration over all classes', () => {
    const cases = [
      { id: 'a', patient: 'a', probabilities: [0.9, 0.8], reference: [0, 1] },
      { id: 'b', patient: 'b', probabilities: [0.7, 0.1], reference: [] },
      { id: 'c', patient: 'c', probabilities: [0.2, 0.4], reference: [1] },
    ];
    const got = evaluateClassification(cases, { ...options(2), exclusive: false });
    expect(got.confusion).toBeNull();
    expect(got.metrics.accuracy!.value).toBeCloseTo(1 / 3, 12);
    // class 0: TP 1, FP 1; class 1: TP 1, FN 1: 2/3 each.
    expect(got.metrics.f1!.value).toBeCloseTo(2 / 3, 12);
    // (0.01 + 0.04 + 0.49 + 0.01 + 0.04 + 0.36) / 3
    expect(got.metrics.brier!.value).toBeCloseTo(0.95 / 3, 12);
    expect(got.cases.map((c) => c.predicted)).toEqual([[0, 1], [0], []]);
  });

  test('one class only: no AUC, and a note says why', () => {
    const got = evaluateClassification([one('a', 0.2, false), one('b', 0.6, false)], options(2));
    expect(got.metrics.auc!.value).toBeNull();
    expect(got.notes.join(' ')).toMatch(/No case is class 1, so it has no AUC/);
  });

  test('what does not fit is named', () => {
    expect(() => evaluateClassification([one('a', 7, true)], options(2))).toThrow(
      /a: has the probability -6[\s\S]*not logits/,
    );
    expect(() => evaluateClassification([one('a', 0.5, true), one('a', 0.5, true)], options(2))).toThrow(
      /a: the case is listed twice/,
    );
    expect(() => evaluateClassification([one('a', 0.5, true)], options(3))).toThrow(
      /a: has 2 probabilities for 3 classes/,
    );
    expect(() => evaluateClassification([], options(2))).toThrow(/no case to evaluate/);
  });

  test('intervals are over patients: copies of a case in the same patient change nothing', () => {
    const cases = Array.from({ length: 12 }, (_, i) => one(`${i}`, ((i * 7) % 12) / 12, i % 3 === 0));
    const twice = cases.flatMap((c) => [c, { ...c, id: `${c.id} again` }]);
    const [a, b] = [cases, twice].map((all) => evaluateClassification(all, options(2)).metrics.auc!);
    expect(b!.value).toBeCloseTo(a!.value!, 12);
    expect(b!.interval!.low).toBeCloseTo(a!.interval!.low, 12);
    expect(b!.interval!.high).toBeCloseTo(a!.interval!.high, 12);
    expect(a!.interval!.patients).toBe(12);
  });
});

describe('ranking', () => {
  const cases = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), { minLength: 2, maxLength: 40 });
  test('AUC is the share of pairs in the right order, ties one half', () => {
    fc.assert(
      fc.property(cases, (all) => {
        const [positives, negatives] = [true, false].map((kind) => all.filter((c) => c[1] === kind).map((c) => c[0]));
        const pairs = positives!.flatMap((p) => negatives!.map((n): number => (p > n ? 1 : p === n ? 0.5 : 0)));
        const wanted = pairs.length === 0 ? null : pairs.reduce((a, b) => a + b, 0) / pairs.length;
        const got = new Ranking(
          all.map((c) => c[0]),
          all.map((c) => c[1]),
        ).auc();
        if (wanted === null) expect(got).toBeNull();
        else expect(got).toBeCloseTo(wanted, 10);
      }),
    );
  });

  test('weights are copies', () => {
    const weighted = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean(), fc.nat(3)), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(weighted, (all) => {
        const copies = all.flatMap((c) => Array.from({ length: c[2] }, () => c));
        const ranking = (list: typeof all) =>
          new Ranking(
            list.map((c) => c[0]),
            list.map((c) => c[1]),
          );
        const weights = all.map((c) => c[2]);
        for (const name of ['auc', 'averagePrecision'] as const) {
          const [a, b] = [ranking(all)[name](weights), ranking(copies)[name]()];
          if (b === null) expect(a).toBeNull();
          else expect(a).toBeCloseTo(b, 10);
        }
      }),
    );
  });
});
