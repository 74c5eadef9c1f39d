import { Matrix, SVD } from 'ml-matrix';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Limit } from '../../../protocol/records/series.ts';
import type { Warning } from '../../../protocol/records/warning.ts';

/**
 * Signs of collapse: a network with the same output for every image has a low loss and has learnt nothing. This happens in two
 * ways (Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers", section 5.3): the output becomes
 * uniform, or one output dominates. Features may also collapse to few directions (Jing et al. 2022).
 */

/**
 * The teacher's sharpened output: softmax((output − center) / temperature) of each row.
 * @param outputs [n, outDim]
 * @param center [outDim]
 * @returns [n, outDim], rows sum to 1
 */
export function teacherSoftmax(outputs: Float32Array, center: Float32Array, temperature: number): Float64Array {
  const outDim = center.length;
  const rows = rowCount(outputs, outDim);
  const out = new Float64Array(outputs.length);
  for (let r = 0; r < rows; r++) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < outDim; k++) {
      const logit = (outputs[r * outDim + k]! - center[k]!) / temperature;
      out[r * outDim + k] = logit;
      if (logit > highest) highest = logit;
    }
    let sum = 0;
    for (let k = 0; k < outDim; k++) sum += out[r * outDim + k] = Math.exp(out[r * outDim + k]! - highest);
    for (let k = 0; k < outDim; k++) out[r * outDim + k]! /= sum;
  }
  return out;
}

/** Mean entropy of distributions [n, outDim], nats: 0 (one-hot) to log(outDim) (uniform). */
export function meanEntropy(probabilities: Float32Array | Float64Array, outDim: number): number {
  const rows = rowCount(probabilities, outDim);
  return entropySum(probabilities) / rows;
}

/** Divergence of the mean of distributions [n, outDim] from the uniform one, nats: log(outDim) − H(mean), 0 to log(outDim). */
export function klOfMeanToUniform(probabilities: Float32Array | Float64Array, outDim: number): number {
  const rows = rowCount(probabilities, outDim);
  const mean = new Float64Array(outDim);
  for (let i = 0; i < probabilities.length; i++) mean[i % outDim]! += probabilities[i]! / rows;
  return Math.max(0, Math.log(outDim) - entropySum(mean));
}

function entropySum(probabilities: Float32Array | Float64Array): number {
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= p * Math.log(p);
  return sum;
}

/**
 * Standard deviation of the L2-normalised features over images, mean over dimensions (Chen and He 2021, SimSiam, section 4.1).
 * 1/√featureLength if directions are spread evenly, 0 if all features point the same way.
 * @param features [n, featureLength], n ≥ 1
 */
export function featureDeviation(features: Float32Array, featureLength: number): number {
  const rows = rowCount(features, featureLength);
  const unit = new Float64Array(features.length);
  for (let r = 0; r < rows; r++) {
    let square = 0;
    for (let d = 0; d < featureLength; d++) square += features[r * featureLength + d]! ** 2;
    const norm = Math.max(Math.sqrt(square), 1e-12);
    for (let d = 0; d < featureLength; d++) unit[r * featureLength + d] = features[r * featureLength + d]! / norm;
  }
  let total = 0;
  for (let d = 0; d < featureLength; d++) {
    let mean = 0;
    for (let r = 0; r < rows; r++) mean += unit[r * featureLength + d]! / rows;
    let variance = 0;
    for (let r = 0; r < rows; r++) variance += (unit[r * featureLength + d]! - mean) ** 2 / rows;
    total += Math.sqrt(variance);
  }
  return total / featureLength;
}

/**
 * Effective rank (Roy and Vetterli 2007): exp of the entropy of the singular values of the centred features, normalised to sum
 * 1. From 1 (one direction) to min(n − 1, featureLength); 0 if all features are equal.
 * @param features [n, featureLength], n ≥ 1
 */
export function effectiveRank(features: Float32Array, featureLength: number): number {
  const rows = rowCount(features, featureLength);
  const centered = Matrix.from1DArray(rows, featureLength, Array.from(features)).center('column');
  const { diagonal } = new SVD(centered, {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  });
  const sum = diagonal.reduce((a, b) => a + b, 0);
  if (!(sum > 0)) return 0;
  return Math.exp(entropySum(Float64Array.from(diagonal, (s) => s / sum)));
}

function rowCount(values: { length: number }, columns: number): number {
  const rows = values.length / columns;
  if (Number.isInteger(rows) && rows >= 1) return rows;
  throw new UnimissError('internal', `${values.length} values are not rows of ${columns}.`, {
    place: 'evaluate/collapse',
  });
}

/** The sizes on which the thresholds depend. */
export interface CollapseSizes {
  /** Outputs of the head. */
  outputs: number;
  /** Length of a feature. */
  featureLength: number;
  /** Different images per step. With a single one, its views should agree, so the output says nothing about collapse. */
  batch?: number;
}

/**
 * Thresholds, chosen so that the noise of an early epoch does not exceed them:
 * - `uniform`: nats below log(outputs). The loss can teach the student at most this much. 0.002 nats are logits that deviate by
 *   0.06 (the entropy falls by half their variance). Short runs pass through 0.005 before features form.
 * - `sharp`: share of log(outputs). A teacher below it is certain; that is fine if images differ.
 * - `informed`, `ignorant`: nats of mutual information between image and output, log(outputs) − KL − entropy. Two images that differ
 *   give log 2 = 0.69, an output that ignores the image 0. A sharp teacher should have `informed`; any should have `ignorant`: short
 *   runs that came to separate classes never had less than 0.004, runs that failed fell below 0.003 and stayed there.
 * - `spread`: deviation of features times √featureLength, which is 1 where directions are even. 0.03 is a mean cosine of 0.999
 *   between images (the square of it is 1 minus that cosine).
 * - `rank`: below 2, one direction holds nearly all the variation.
 */
export const collapseThresholds = {
  uniform: 0.002,
  sharp: 0.05,
  informed: 0.05,
  ignorant: 0.003,
  spread: 0.03,
  rank: 2,
};

/** The thresholds as limits of the recorded numbers, by their keys; each alone is enough for a warning. */
export function collapseLimits(sizes: CollapseSizes): Readonly<Record<keyof Collapse, Limit[]>> {
  const { outputs, featureLength, batch } = sizes;
  const most = Math.log(outputs);
  const { uniform, ignorant, spread, rank } = collapseThresholds;
  const count = outputs.toLocaleString('en-GB');
  return {
    teacherEntropy: [{ value: most - uniform, wrong: 'above', label: `uniform: ln ${count}` }],
    klToUniform: batch === 1 ? [] : [{ value: most - ignorant, wrong: 'above', label: `one output: ln ${count}` }],
    featureStd: [{ value: spread / Math.sqrt(featureLength), wrong: 'below', label: 'images look alike' }],
    effectiveRank: [{ value: rank, wrong: 'below', label: 'one direction' }],
  };
}

/** Signs of collapse, measured at the end of an epoch. */
export interface Collapse {
  /** Mean entropy of the teacher's outputs, nats; 0: every output is one-hot. */
  readonly teacherEntropy: number;
  /** Divergence of the teacher's mean output from the uniform distribution, nats; large: few of the outputs are used. */
  readonly klToUniform: number;
  /** Standard deviation of the normalised features over images, mean over dimensions; 0: all images look alike. */
  readonly featureStd: number;
  /** exp of the entropy of the normalised singular values of the features; 1: one direction is left. */
  readonly effectiveRank: number;
}

/** Warnings of collapse in an epoch; empty if all is well. */
export function collapseWarnings(values: Collapse, sizes: CollapseSizes): Warning[] {
  const { teacherEntropy, klToUniform, featureStd, effectiveRank } = values;
  const t = collapseThresholds;
  const most = Math.log(sizes.outputs);
  const outputs = sizes.outputs.toLocaleString('en-GB');
  const told = sizes.batch === 1 ? Number.POSITIVE_INFINITY : most - klToUniform - teacherEntropy;
  const warnings: Warning[] = [];
  if (most - teacherEntropy < t.uniform)
    warnings.push({
      what: `The teacher's output is uniform over its ${outputs} outputs, so the student learns nothing from it.`,
      advice:
        'Try a lower train.teacherTemperature.value (a quarter of it in a short run), a lower train.lr, larger batches (train.batch, train.accumulate), or views that share more of the image (views.area2D, views.crop3D).',
    });
  else if (told < (teacherEntropy < t.sharp * most ? t.informed : t.ignorant))
    warnings.push({
      what: `The teacher gives the same output for every image, over its ${outputs} outputs.`,
      advice:
        'Try a faster centre (a lower train.centerMomentum), a slower teacher (a higher train.momentum), a higher train.teacherTemperature.value, or a lower train.lr.',
    });
  if (featureStd * Math.sqrt(sizes.featureLength) < t.spread)
    warnings.push({
      what: `Features look the same for all images: possible collapse (deviation ${featureStd.toPrecision(2)}).`,
      advice:
        'Try a lower train.lr, and larger batches (train.batch, train.accumulate); check in the previews that the images differ and that the two views of an image resemble each other.',
    });
  else if (effectiveRank < t.rank)
    warnings.push({
      what: `The features vary along one direction only (effective rank ${effectiveRank.toFixed(1)} of ${sizes.featureLength}).`,
      advice: 'Try a lower train.lr or weaker decay (train.weightDecay), and more varied images.',
    });
  return warnings;
}
