import { UnimissError } from '../../../protocol/errors.ts';
import { classifyByNeighbors, type LabelledFeatures } from './knn.ts';
import { fitLinear } from './linearProbe.ts';

/** Rows that classify, and rows that are classified by them. */
export interface HeldOut {
  readonly known: readonly number[];
  readonly tested: readonly number[];
}

export interface HeldOutResult {
  /** Shares of the tested rows that are classified correctly, 0–1. */
  readonly knn: number;
  readonly linear: number;
}

/**
 * k-NN and a linear probe of features, each row classified by rows that are not of its fold. Draws nothing: the same features give the
 * same numbers.
 * @param folds without a patient on both sides of one, and each row tested at most once
 * @throws UnimissError 'data' where no fold has rows on both sides and two classes that are known
 */
export function classifyHeldOut(data: LabelledFeatures, folds: readonly HeldOut[], neighbors: number): HeldOutResult {
  const used = folds.filter(
    ({ known, tested }) => tested.length > 0 && new Set(known.map((row) => data.labels[row])).size > 1,
  );
  const total = used.reduce((sum, { tested }) => sum + tested.length, 0);
  if (total === 0)
    throw new UnimissError('data', 'has too few images to classify each by the others', {
      remedy: 'Provide at least two classes, with images of two patients each.',
    });
  let [knn, linear] = [0, 0];
  for (const { known, tested } of used) {
    const [train, test] = [rowsOf(data, known), rowsOf(data, tested)];
    const right = (predictions: readonly number[]) =>
      predictions.filter((prediction, i) => prediction === test.labels[i]).length;
    knn += right(classifyByNeighbors(test, { train, k: neighbors }).predictions);
    linear += right(fitLinear(train).predict(test.features));
  }
  return { knn: knn / total, linear: linear / total };
}

function rowsOf({ features, featureLength, labels }: LabelledFeatures, rows: readonly number[]): LabelledFeatures {
  const own = new Float32Array(rows.length * featureLength);
  for (const [i, row] of rows.entries())
    own.set(features.subarray(row * featureLength, (row + 1) * featureLength), i * featureLength);
  return { features: own, featureLength, labels: rows.map((row) => labels[row] ?? -1) };
}
