import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Interval } from '../../../protocol/evaluation/common.ts';
import { Random } from '../../data/random.ts';
import { PatientResamples } from '../metrics/bootstrap.ts';
import type { LabelledFeatures } from './knn.ts';

/** Strengths of the penalty, relative to the mean square of the (standardised) features: from 10⁻⁴ to 10⁴. */
const penalties = Array.from({ length: 17 }, (_, i) => 10 ** (-4 + i / 2));

/** A linear classifier: predicts the class of rows of features. */
export interface LinearClassifier {
  readonly penalty: number;
  /** @param features [n, featureLength] @returns n classes */
  predict(features: Float32Array): number[];
}

/**
 * Ridge classifier: least squares on one-hot classes, features standardised by those of the training, the penalty chosen by the
 * leave-one-out error (its closed form, Golub et al. 1979). The work depends on the number of images, not of features.
 * @throws UnimissError 'data' for fewer than two images
 */
export function fitLinear({ features, featureLength, labels }: LabelledFeatures): LinearClassifier {
  const n = labels.length;
  if (n < 2 || features.length !== n * featureLength)
    throw new UnimissError('data', `${features.length} numbers are not at least two rows of ${featureLength}`, {
      place: 'linear probe',
    });
  const classes = [...new Set(Array.from(labels))].sort((a, b) => a - b);
  const scaler = standardizer(features, featureLength);
  const known = scaler(features);
  const gram = product(known, known, featureLength);
  const eigen = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const vectors = eigen.eigenvectorMatrix;
  const values = eigen.realEigenvalues.map((value) => Math.max(0, value));
  const targets = new Matrix(n, classes.length);
  for (let i = 0; i < n; i++) for (const [c, name] of classes.entries()) targets.set(i, c, labels[i] === name ? 1 : 0);
  const means = targets.mean('column');
  const centered = targets.clone().subRowVector(means);
  const rotated = vectors.transpose().mmul(centered);
  let best: { error: number; penalty: number; weights: Matrix } | undefined;
  for (const strength of penalties) {
    const penalty = strength * n;
    // Dual weights (K + λI)⁻¹ Y; a residual without the row itself is λ · weight / (1 − leverage).
    const scaled = rotated.clone();
    for (let e = 0; e < n; e++)
      for (let c = 0; c < classes.length; c++) scaled.set(e, c, scaled.get(e, c) / (values[e]! + penalty));
    const weights = vectors.mmul(scaled);
    let error = 0;
    for (let i = 0; i < n; i++) {
      let leverage = 1 / n;
      for (let e = 0; e < n; e++) leverage += (vectors.get(i, e) ** 2 * values[e]!) / (values[e]! + penalty);
      for (let c = 0; c < classes.length; c++)
        error += ((penalty * weights.get(i, c)) / Math.max(1e-9, 1 - leverage)) ** 2;
    }
    if (!best || error < best.error) best = { error, penalty: strength, weights };
  }
  const { weights, penalty } = best!;
  return {
    penalty,
    predict(rows) {
      const scores = product(scaler(rows), known, featureLength).mmul(weights).addRowVector(means);
      return Array.from({ length: scores.rows }, (_, i) => classes[scores.maxRowIndex(i)[1] ?? 0] ?? 0);
    },
  };
}

/** Subtracts the mean of each column and divides by its deviation; a constant column becomes 0. Rows then have a mean square near 1. */
function standardizer(features: Float32Array, length: number): (rows: Float32Array) => Float64Array {
  const n = features.length / length;
  const [mean, square] = [new Float64Array(length), new Float64Array(length)];
  for (let i = 0; i < features.length; i++) mean[i % length]! += features[i]! / n;
  for (let i = 0; i < features.length; i++) square[i % length]! += (features[i]! - mean[i % length]!) ** 2 / n;
  const scale = Float64Array.from(square, (value, d) =>
    value > 1e-12 * (mean[d]! ** 2 + 1e-12) ? 1 / Math.sqrt(value * length) : 0,
  );
  return (rows) => Float64Array.from(rows, (value, i) => (value - mean[i % length]!) * scale[i % length]!);
}

/** A Bᵀ of rows of equal length. */
function product(a: Float64Array, b: Float64Array, length: number): Matrix {
  const result = new Matrix(a.length / length, b.length / length);
  for (let i = 0; i < result.rows; i++)
    for (let j = 0; j < result.columns; j++) {
      let sum = 0;
      for (let d = 0; d < length; d++) sum += a[i * length + d]! * b[j * length + d]!;
      result.set(i, j, sum);
    }
  return result;
}

export interface ProbeOptions {
  /** Labelled images of each class that the classifier is trained with. */
  readonly perClass: number;
  /** How often these are drawn; the same draws for the same seed, whatever the features. Default 50. */
  readonly draws?: number;
  readonly seed?: number;
  /** The patient of each image, for interval and test: no patient is on both sides of a draw. Default: each image is one. */
  readonly patients?: readonly string[];
}

export interface ProbeResult {
  /** Mean over draws of the share of correctly classified images among those not drawn, 0–1. */
  readonly accuracy: number;
  /** 95 % interval over images (bootstrap of patients); null for fewer than two patients. */
  readonly interval: Interval | null;
  /** Share of the draws in which each image was classified correctly, among those in which it was tested; null: never tested. */
  readonly perImage: readonly (number | null)[];
}

/**
 * A linear probe with few labels: draws `perClass` images of each class, fits `fitLinear`, classifies all others, many times.
 * @throws UnimissError 'data' where a class has no image left to test
 */
export function linearProbe(data: LabelledFeatures, options: ProbeOptions): ProbeResult {
  const { perClass, draws = 50, seed = 0, patients } = options;
  const { labels, featureLength, features } = data;
  const n = labels.length;
  const ofClass = new Map<number, number[]>();
  for (let i = 0; i < n; i++) ofClass.set(labels[i]!, [...(ofClass.get(labels[i]!) ?? []), i]);
  const fewest = Math.min(...[...ofClass.values()].map(({ length }) => length));
  if (fewest <= perClass || ofClass.size < 2) throw nothingToTest(perClass, n);
  const [right, tested] = [new Float64Array(n), new Float64Array(n)];
  let accuracy = 0;
  const rows = (which: readonly number[]) => {
    const taken = new Float32Array(which.length * featureLength);
    for (const [r, i] of which.entries())
      taken.set(features.subarray(i * featureLength, (i + 1) * featureLength), r * featureLength);
    return taken;
  };
  for (let draw = 0; draw < draws; draw++) {
    const random = new Random(seed, 'probe', perClass, draw);
    const train = [...ofClass.values()].flatMap((own) => random.shuffle([...own]).slice(0, perClass));
    const chosen = new Set(train);
    const known = new Set(patients && train.map((i) => patients[i]));
    const test = Array.from({ length: n }, (_, i) => i).filter((i) => !chosen.has(i) && !known.has(patients?.[i]));
    if (test.length === 0) throw nothingToTest(perClass, n);
    const classifier = fitLinear({ features: rows(train), featureLength, labels: train.map((i) => labels[i]!) });
    let hits = 0;
    for (const [r, predicted] of classifier.predict(rows(test)).entries()) {
      const i = test[r]!;
      tested[i]!++;
      if (predicted !== labels[i]) continue;
      right[i]!++;
      hits++;
    }
    accuracy += hits / test.length / draws;
  }
  const perImage = Array.from({ length: n }, (_, i) => (tested[i]! > 0 ? right[i]! / tested[i]! : null));
  const resamples = new PatientResamples(patients ?? perImage.map((_, i) => String(i)), { seed });
  return { accuracy, interval: resamples.meanInterval(perImage), perImage };
}

function nothingToTest(perClass: number, images: number): UnimissError {
  return new UnimissError('data', `${perClass} labels of each class leave no image to test (${images} images)`, {
    place: 'linear probe',
    remedy: 'Provide at least two classes, and more images of each than the labels, of other patients.',
  });
}
