import { UnimissError } from '../../../protocol/errors.ts';

/** Features with the class of each. */
export interface LabelledFeatures {
  /** [n, featureLength] */
  features: Float32Array;
  featureLength: number;
  /** n classes, any whole numbers. */
  labels: ArrayLike<number>;
}

export interface KnnOptions {
  /** Neighbours that vote; fewer if there are fewer. */
  k?: number;
  temperature?: number;
  /** If given, these classify `data` (train/test); else all others classify each of `data` (leave-one-out). */
  train?: LabelledFeatures;
}

export interface KnnResult {
  /** Share of correctly classified images, 0–1. */
  accuracy: number;
  /** 95 % interval of the accuracy (Wilson). */
  interval: [low: number, high: number];
  /** Accuracy of always predicting the most frequent class. */
  chance: number;
  /** Predicted class of each image. */
  predictions: number[];
  k: number;
}

/**
 * Weighted k-nearest-neighbour classification, DINO's protocol (Caron et al. 2021, section 4.1; Wu et al. 2018): features are
 * L2-normalised; the k most similar by cosine vote for their classes with weight exp(cosine / temperature). Ties go to the
 * class of the nearest neighbour among them.
 * @throws UnimissError 'data' if there is nothing to compare with, or sizes do not fit
 */
export function classifyByNeighbors(data: LabelledFeatures, options: KnnOptions = {}): KnnResult {
  const { temperature = 0.07, train = data } = options;
  const leaveOneOut = train === data;
  const unit = ({ features, featureLength, labels }: LabelledFeatures) =>
    unitRows(features, featureLength, labels.length);
  const queries = unit(data);
  const known = unit(train);
  if (train.featureLength !== data.featureLength)
    throw new UnimissError('data', `features have ${train.featureLength} and ${data.featureLength} numbers`, {
      place: 'k-NN',
      remedy: 'Take both from the same network.',
    });
  const others = train.labels.length - (leaveOneOut ? 1 : 0);
  if (others < 1 || data.labels.length < 1)
    throw new UnimissError('data', 'too few labelled images', {
      place: 'k-NN',
      remedy: leaveOneOut ? 'Provide at least two.' : 'Provide at least one for training and one for testing.',
    });
  const k = Math.max(1, Math.min(options.k ?? 20, others));
  const predictions = Array.from({ length: data.labels.length }, (_, q) =>
    vote(nearest(rowOf(queries, data.featureLength, q), known, leaveOneOut ? q : -1, k), train.labels, temperature),
  );
  const hits = predictions.filter((p, q) => p === data.labels[q]).length;
  return {
    accuracy: hits / predictions.length,
    interval: wilsonInterval(hits, predictions.length),
    chance: largestShare(data.labels),
    predictions,
    k,
  };
}

/** Rows divided by their lengths; a row of zeros stays zero and resembles nothing. */
function unitRows(features: ArrayLike<number>, length: number, count: number): Float64Array {
  if (features.length !== count * length)
    throw new UnimissError('data', `${features.length} numbers are not ${count} features of ${length}`, {
      place: 'k-NN',
    });
  const out = new Float64Array(features.length);
  for (let r = 0; r < count; r++) {
    const at = r * length;
    let square = 0;
    for (let d = 0; d < length; d++) square += features[at + d]! ** 2;
    const norm = Math.max(Math.sqrt(square), 1e-12);
    for (let d = 0; d < length; d++) out[at + d] = features[at + d]! / norm;
  }
  return out;
}

export interface Neighbor {
  row: number;
  cosine: number;
}

/**
 * The k other rows that are most similar to one row, nearest first; among equals, the first row.
 * @param features [rows, length]
 */
export function mostSimilar(features: ArrayLike<number>, length: number, row: number, k: number): Neighbor[] {
  const rows = unitRows(features, length, features.length / length);
  return nearest(rowOf(rows, length, row), rows, row, k);
}

function rowOf(rows: Float64Array, length: number, row: number): Float64Array {
  return rows.subarray(row * length, (row + 1) * length);
}

/**
 * The k rows of `known` most similar to a query, nearest first; among equals, the first row.
 * @param query [length]
 * @param known [rows, length]
 * @param except a row that does not count; −1: all do
 */
function nearest(query: Float64Array, known: Float64Array, except: number, k: number): Neighbor[] {
  const { length } = query;
  const found: Neighbor[] = [];
  for (let row = 0; row < known.length / length; row++) {
    if (row === except) continue;
    let cosine = 0;
    for (let d = 0; d < length; d++) cosine += query[d]! * known[row * length + d]!;
    if (found.length === k && cosine <= found[k - 1]!.cosine) continue;
    let place = found.length;
    while (place > 0 && found[place - 1]!.cosine < cosine) place--;
    found.splice(place, 0, { row, cosine });
    if (found.length > k) found.pop();
  }
  return found;
}

function vote(neighbors: readonly Neighbor[], labels: ArrayLike<number>, temperature: number): number {
  const weights = new Map<number, number>();
  for (const { row, cosine } of neighbors) {
    const label = labels[row]!;
    // Relative to the nearest, so that small temperatures do not overflow.
    const weight = Math.exp((cosine - neighbors[0]!.cosine) / temperature);
    weights.set(label, (weights.get(label) ?? 0) + weight);
  }
  // A Map keeps the order of insertion, so among equal weights the nearest neighbour's class wins.
  let best: [label: number, weight: number] | undefined;
  for (const entry of weights) if (!best || entry[1] > best[1]) best = entry;
  return best![0];
}

function largestShare(labels: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (const label of Array.from(labels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / labels.length;
}

/** 95 % interval of a share of `hits` among `n` (Wilson 1927): reliable even for few images and for shares of 0 and 1. */
export function wilsonInterval(hits: number, n: number): [low: number, high: number] {
  const z = 1.959963984540054; // 97.5 % quantile of the normal distribution
  const share = hits / n;
  const center = share + z ** 2 / (2 * n);
  const half = z * Math.sqrt((share * (1 - share)) / n + (z / (2 * n)) ** 2);
  const scale = 1 + z ** 2 / n;
  return [Math.max(0, (center - half) / scale), Math.min(1, (center + half) / scale)];
}
