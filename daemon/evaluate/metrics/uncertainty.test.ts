import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PatientResamples } from './bootstrap.ts';
import { pairedPermutationTest } from './permutation.ts';

describe('bootstrap', () => {
  const patients = Array.from({ length: 40 }, (_, i) => `p${i}`);
  const values = patients.map((_, i) => ((i * 37) % 40) / 40);

  test('a seed decides it; the interval is that of the normal approximation, roughly', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => new PatientResamples(patients, { seed }).meanInterval(values)!);
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    // Uniform on 0 … 0.975: deviation 0.289, standard error of 40 values 0.0456, times 1.96: 0.0894.
    expect(a!.high - a!.low).toBeGreaterThan(2 * 0.08);
    expect(a!.high - a!.low).toBeLessThan(2 * 0.099);
  });

  test('weights of cases and means of values agree', () => {
    const draws = new PatientResamples(patients, { seed: 3, resamples: 300 });
    const byWeight = draws.interval((weights) => {
      let [sum, n] = [0, 0];
      for (const [i, v] of values.entries()) {
        sum += weights[i]! * v;
        n += weights[i]!;
      }
      return sum / n;
    })!;
    const byMean = draws.meanInterval(values)!;
    expect(byWeight.low).toBeCloseTo(byMean.low, 12);
    expect(byWeight.high).toBeCloseTo(byMean.high, 12);
  });

  test('cases of a patient are drawn together', () => {
    // Two patients: means of resamples are 0, 0.5 or 1, whatever the number of their cases.
    const draws = new PatientResamples(['a', 'a', 'b', 'b'], { seed: 0, resamples: 400 });
    expect(draws.meanInterval([0, 0, 1, 1])).toMatchObject({ low: 0, high: 1, patients: 2 });
    expect(new PatientResamples(['a', 'a'], { seed: 0 }).meanInterval([0, 1])).toBeNull();
    expect(draws.meanInterval([0, 1, null, null])).toBeNull();
  });
});

describe('permutation test', () => {
  test('by hand: 3 pairs in one direction, 2 of 8 swaps are as extreme', () => {
    expect(pairedPermutationTest([1, 2, 3], 0)).toMatchObject({
      pairs: 3,
      effect: 2,
      p: 0.25,
      exact: true,
      smallestP: 0.25,
    });
    // Sums of ±1 ±2 ±3: twice each 6, 4, 2 and 0 in size. Observed is 2, so 6 of 8 are as extreme.
    expect(pairedPermutationTest([1, -2, 3], 0).p).toBe(0.75);
    expect(pairedPermutationTest([], 0)).toMatchObject({ effect: null, p: null });
  });

  test('equal runs: p = 1; the sign of the difference does not matter', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 10 }), (d) => {
        expect(
          pairedPermutationTest(
            d.map(() => 0),
            0,
          ).p,
        ).toBe(1);
        expect(pairedPermutationTest(d, 0).p).toBe(
          pairedPermutationTest(
            d.map((x) => -x),
            0,
          ).p,
        );
        expect(pairedPermutationTest(d, 0).p).toBeGreaterThanOrEqual(pairedPermutationTest(d, 0).smallestP);
      }),
    );
  });

  test('many pairs: random swaps estimate p', () => {
    const differences = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? -1 : 1));
    const got = pairedPermutationTest(differences, 7);
    expect(got.exact).toBe(false);
    // 10 minus and 20 plus: P(|sum| ≥ 10) of 30 fair coins is 0.0987.
    expect(got.p).toBeGreaterThan(0.09);
    expect(got.p).toBeLessThan(0.108);
  });
});
