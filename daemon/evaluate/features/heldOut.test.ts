import { expect, it } from 'vitest';
import { classifyHeldOut } from './heldOut.ts';

/** Two classes along the first axis; the second axis tells patients. */
const features = Float32Array.from([2, 1, 2, -1, -2, 1, -2, -1, 2, 1.5, -2, 1.5].map((value) => value + 0.01));
const data = { features, featureLength: 2, labels: [0, 0, 1, 1, 0, 1] };
const halves = [
  { known: [0, 1, 2, 3], tested: [4, 5] },
  { known: [4, 5], tested: [0, 1, 2, 3] },
];

it('classes that lie apart are told apart by rows of other folds', () => {
  expect(classifyHeldOut(data, halves, 1)).toEqual({ knn: 1, linear: 1 });
  const wrong = { ...data, labels: [0, 0, 1, 1, 1, 0] };
  expect(classifyHeldOut(wrong, halves, 1)).toEqual({ knn: 0, linear: 0 });
});

it('counts rows, not folds: a fold whose known rows are of one class is left out', () => {
  const folds = [{ known: [0, 1], tested: [2] }, ...halves.slice(0, 1)];
  expect(classifyHeldOut({ ...data, labels: [0, 0, 1, 1, 0, 0] }, folds, 1)).toEqual({ knn: 0.5, linear: 0.5 });
  expect(() => classifyHeldOut(data, folds.slice(0, 1), 1)).toThrow('too few images');
});
