import type { CalibrationBin } from '../../../protocol/evaluation/classification.ts';

/** A stated probability, and whether it came true. */
export interface Forecast {
  readonly confidence: number;
  readonly right: boolean;
}

/** Bins of equal width, (low, high]; 0 belongs to the first. */
export function calibrationBins(
  forecasts: readonly Forecast[],
  bins = 15,
  weights?: ArrayLike<number>,
): CalibrationBin[] {
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (const [i, { confidence, right }] of forecasts.entries()) {
    const weight = weights ? weights[i]! : 1;
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))]!;
    bin.count += weight;
    bin.confidence += weight * confidence;
    if (right) bin.right += weight;
  }
  return sums.map(({ count, confidence, right }, i) => ({
    low: i / bins,
    high: (i + 1) / bins,
    count,
    confidence: count === 0 ? null : confidence / count,
    accuracy: count === 0 ? null : right / count,
  }));
}

/** Expected calibration error: mean over the bins, weighted by their cases, of |accuracy − confidence|. null without cases. */
export function expectedCalibrationError(
  forecasts: readonly Forecast[],
  bins = 15,
  weights?: ArrayLike<number>,
): number | null {
  let [sum, cases] = [0, 0];
  for (const { count, confidence, accuracy } of calibrationBins(forecasts, bins, weights)) {
    if (confidence === null || accuracy === null) continue;
    sum += count * Math.abs(accuracy - confidence);
    cases += count;
  }
  return cases === 0 ? null : sum / cases;
}

/** Brier score of a case: sum over classes of (probability − truth)², from 0 to 2 where classes exclude each other. */
export function brierOf(probabilities: readonly number[], reference: readonly number[]): number {
  return probabilities.reduce((sum, p, c) => sum + (p - (reference.includes(c) ? 1 : 0)) ** 2, 0);
}
