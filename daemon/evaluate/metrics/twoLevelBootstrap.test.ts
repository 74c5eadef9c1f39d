import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../../data/random.ts';
import { holm, twoLevelDifference, twoLevelMean } from './twoLevelBootstrap.ts';

const options = { resamples: 1000, seed: 1 };

/** Scores around a mean, with a share that depends on the seed and one that depends on the patient. */
function scores(mean: number, ofSeed: number, ofPatient: number, key: string): number[][] {
  const random = new Random(key);
  const patients = Array.from({ length: 60 }, () => ofPatient * random.normal());
  return Array.from({ length: 5 }, () => {
    const own = ofSeed * random.normal();
    return patients.map((patient) => mean + own + patient);
  });
}

test('a clear difference has an interval without 0 and a small p', () => {
  const { difference, low, high, p } = twoLevelDifference(
    scores(0.8, 0.01, 0.1, 'a'),
    scores(0.5, 0.01, 0.1, 'b'),
    options,
  );
  expect(difference).toBeGreaterThan(0.2);
  expect(low).toBeGreaterThan(0);
  expect(high).toBeGreaterThan(difference);
  expect(p).toBeLessThan(0.01);
});

test('seeds that differ widen the interval, however many patients there are', () => {
  const width = (ofSeed: number) => {
    const { low, high } = twoLevelMean(scores(0.5, ofSeed, 0, 'c'), options);
    return high - low;
  };
  expect(width(0.1)).toBeGreaterThan(5 * width(0.005));
});

test('the same scores have no difference, and p is 1', () => {
  const same = scores(0.5, 0.1, 0.1, 'd');
  expect(twoLevelDifference(same, same, options)).toEqual({ difference: 0, low: 0, high: 0, p: 1 });
});

test('a margin asks whether the first is not worse by more', () => {
  const [better, worse] = [scores(0.5, 0.001, 0.1, 'e'), scores(0.51, 0.001, 0.1, 'e')];
  expect(twoLevelDifference(better, worse, options).p).toBeGreaterThan(0.9);
  expect(twoLevelDifference(better, worse, { ...options, margin: 0.05 }).p).toBeLessThan(0.05);
});

test('patients that were not tested in one arm are in no difference', () => {
  expect(twoLevelDifference([[1, null, 1]], [[0, 0, null]], options).difference).toBe(1);
});

test('several images of a patient widen the interval: they are drawn together', () => {
  const few = scores(0.5, 0, 0.1, 'f').map((row) => row.slice(0, 15));
  const repeated = few.map((row) => row.flatMap((value) => [value, value, value, value]));
  const patients = repeated[0]!.map((_, i) => String(Math.floor(i / 4)));
  const apart = twoLevelMean(repeated, options);
  const together = twoLevelMean(repeated, { ...options, patients });
  const { mean, low, high } = twoLevelMean(few, options);
  expect([together.mean, together.low, together.high]).toEqual([mean, low, high].map((one) => expect.closeTo(one, 9)));
  expect(together.high - together.low).toBeGreaterThan(1.5 * (apart.high - apart.low));
});

test('arms of other sizes are refused', () => {
  expect(() => twoLevelDifference([[1, 1]], [[1]], options)).toThrow(/differ in seeds or patients/);
});

test("Holm's correction, by hand, and its order", () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }), (ps) => {
      const corrected = holm(ps);
      for (const [i, p] of ps.entries()) {
        expect(corrected[i]).toBeGreaterThanOrEqual(p);
        expect(corrected[i]).toBeLessThanOrEqual(1);
      }
    }),
  );
});
