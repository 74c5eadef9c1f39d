import type { Interval } from '../../../protocol/evaluation/common.ts';
import type { Statistic } from '../../../protocol/evaluation/segmentation.ts';
import { mean, percentile } from './percentile.ts';

/** Describes values; undefined where there is none. `ok`: those of cases in which both have the structure. */
export function statisticOf(
  values: readonly number[],
  ok: readonly number[],
  interval: Interval | null,
): Statistic | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const middle = mean(sorted);
  const squares = sorted.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return {
    count: values.length,
    mean: middle,
    interval,
    countOk: ok.length,
    meanOverOk: ok.length === 0 ? null : mean(ok),
    deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)),
    minimum: sorted[0]!,
    lowerQuartile: percentile(sorted, 25),
    median: percentile(sorted, 50),
    upperQuartile: percentile(sorted, 75),
    maximum: sorted.at(-1)!,
  };
}
