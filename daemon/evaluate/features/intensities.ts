import { percentile } from '../metrics/percentile.ts';

/** What an image is described by without any arrangement of its values: baselines that features must beat. */

/** Bins of the histogram. */
const bins = 32;
const percents = [1, 5, 10, 25, 50, 75, 90, 95, 99] as const;

/** Shares of the values in equal bins; values outside the range are in the first and last. @returns 32 numbers */
export function histogram(values: ArrayLike<number>, [low, high]: readonly [number, number]): Float32Array {
  const shares = new Float32Array(bins);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((bins * (values[i]! - low)) / (high - low));
    shares[Math.min(bins - 1, Math.max(0, bin))]! += 1 / values.length;
  }
  return shares;
}

/** Mean, deviation, skewness, kurtosis and nine percentiles. @returns 13 numbers */
export function moments(values: ArrayLike<number>): Float32Array {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i]! / n;
  const central = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const difference = values[i]! - mean;
    central[0]! += difference ** 2 / n;
    central[1]! += difference ** 3 / n;
    central[2]! += difference ** 4 / n;
  }
  const deviation = Math.sqrt(central[0]!) || 1;
  const sorted = Float64Array.from(values).sort();
  return Float32Array.of(
    mean,
    deviation,
    central[1]! / deviation ** 3,
    central[2]! / deviation ** 4,
    ...percents.map((percent) => percentile(sorted, percent)),
  );
}
