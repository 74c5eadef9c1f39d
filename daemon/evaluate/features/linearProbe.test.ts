import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Random } from '../../data/random.ts';
import { fitLinear, linearProbe } from './linearProbe.ts';

/** Three classes; rows are higher in every third column, which one depends on the class. */
function bumps(n: number, length: number, height: number, seed: number) {
  const random = new Random(seed);
  const labels = Array.from({ length: n }, (_, i) => i % 3);
  const features = Float32Array.from(
    { length: n * length },
    (_, i) => random.normal() + ((i % length) % 3 === labels[Math.floor(i / length)] ? height : 0),
  );
  return { features, featureLength: length, labels };
}

it('classifies what is linearly separable, from fewer images than features too', () => {
  const data = bumps(60, 99, 2, 1);
  expect(linearProbe(data, { perClass: 4, draws: 5 }).accuracy).toBeGreaterThan(0.97);
});

it('gives chance for features that know nothing, with an interval that holds it', () => {
  const { accuracy, interval } = linearProbe(bumps(150, 20, 0, 2), { perClass: 16, draws: 20 });
  expect(accuracy).toBeGreaterThan(0.25);
  expect(accuracy).toBeLessThan(0.42);
  expect(interval!.low).toBeLessThan(1 / 3);
  expect(interval!.high).toBeGreaterThan(1 / 3);
});

it('does not depend on the scale of a column or on a constant one', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (scale) => {
      const data = bumps(45, 6, 1.5, 3);
      const other = data.features.map((value, i) => (i % 6 === 2 ? scale * value + 7 : value));
      const widened = Float32Array.from({ length: 45 * 7 }, (_, i) =>
        i % 7 === 6 ? 5 : other[Math.floor(i / 7) * 6 + (i % 7)]!,
      );
      const accuracyOf = (features: Float32Array, featureLength: number) =>
        linearProbe({ ...data, features, featureLength }, { perClass: 5, draws: 4 }).accuracy;
      expect(accuracyOf(widened, 7)).toBeCloseTo(accuracyOf(data.features, 6), 1);
    }),
    { numRuns: 10 },
  );
});

it('chooses a strong penalty for noise and a weak one for clean features', () => {
  expect(fitLinear(bumps(30, 40, 0, 4)).penalty).toBeGreaterThan(fitLinear(bumps(30, 40, 30, 4)).penalty);
});

it('refuses more labels than leave an image to test', () => {
  expect(() => linearProbe(bumps(12, 4, 1, 5), { perClass: 4 })).toThrow(/leave no image to test/);
});

it('never tests images of patients whose images it was trained with', () => {
  const random = new Random(6);
  // The features tell the patient and nothing else; a patient has two images of one class.
  const patients = Array.from({ length: 60 }, (_, i) => String(Math.floor(i / 2)));
  const labels = patients.map((_, i) => Math.floor(i / 2) % 3);
  const own = Array.from({ length: 30 }, () => Array.from({ length: 40 }, () => random.normal()));
  const features = Float32Array.from(patients.flatMap((patient) => own[Number(patient)]!));
  const data = { features, featureLength: 40, labels };
  const options = { perClass: 8, draws: 20 };
  expect(linearProbe(data, options).accuracy).toBeGreaterThan(0.5);
  expect(linearProbe(data, { ...options, patients }).accuracy).toBeLessThan(0.45);
});
