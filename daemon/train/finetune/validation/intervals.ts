import { PatientResamples } from '../../../evaluate/metrics/bootstrap.ts';
import type { ValidationIntervals } from './types.ts';

/** A number that takes how often each case counts; null where it cannot be told. */
export type Statistic = (weights: Int32Array) => number | null;

/** Resamples of an interval: enough for a shade beside a curve. An evaluation takes 2,000. */
const resamples = 500;

/** 95 % intervals of statistics by bootstrap over patients. @param patients the patient of each case */
export function intervalsOf(
  patients: readonly string[],
  statistics: readonly (readonly [key: string, of: Statistic])[],
): ValidationIntervals {
  const draws = new PatientResamples(patients, { seed: 0, resamples });
  return Object.fromEntries(
    statistics.flatMap(([key, of]) => {
      const found = draws.interval(of);
      return found ? [[key, [found.low, found.high] as const]] : [];
    }),
  );
}
