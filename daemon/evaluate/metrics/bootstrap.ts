import type { Interval } from '../../../protocol/evaluation/common.ts';
import { Random } from '../../data/random.ts';
import { percentile } from './percentile.ts';

/** Patients of every resample, with all their cases: the same for every number, so that these stay comparable. */
export class PatientResamples {
  /** Cases of each patient, by their index. */
  readonly patients: readonly (readonly number[])[];
  private readonly draws: Int32Array;

  /** @param patientOf the patient of each case */
  constructor(patientOf: readonly string[], { seed, resamples = 2000 }: { seed: number; resamples?: number }) {
    const groups = new Map<string, number[]>();
    for (const [i, patient] of patientOf.entries()) {
      const own = groups.get(patient);
      if (own) own.push(i);
      else groups.set(patient, [i]);
    }
    this.patients = [...groups.values()];
    const { length } = this.patients;
    this.draws = new Int32Array(resamples * length);
    const random = new Random(seed, 'bootstrap');
    if (length > 0) for (let i = 0; i < this.draws.length; i++) this.draws[i] = random.int(length);
  }

  /** How often each patient is in each resample. */
  *counts(): Generator<Int32Array> {
    const { length } = this.patients;
    const counts = new Int32Array(length);
    for (let start = 0; start < this.draws.length; start += Math.max(1, length)) {
      counts.fill(0);
      for (let i = start; i < start + length; i++) counts[this.draws[i]!]!++;
      yield counts;
    }
  }

  /**
   * 95 % interval (2.5th to 97.5th percentile) of a statistic that takes how often each case is drawn. null with fewer than two
   * patients, or where it is not defined in nine of ten resamples.
   */
  interval(statistic: (weights: Int32Array) => number | null): Interval | null {
    const weights = new Int32Array(this.patients.reduce((sum, own) => sum + own.length, 0));
    return this.intervalOf((counts) => {
      for (const [i, own] of this.patients.entries()) for (const at of own) weights[at] = counts[i]!;
      return statistic(weights);
    });
  }

  /** The same for the mean of one value a case; cases with null are in no mean. */
  meanInterval(values: readonly (number | null)[]): Interval | null {
    const { sums, numbers } = this.sumsOf(values);
    if (numbers.filter((n) => n > 0).length < 2) return null;
    return this.intervalOf((counts) => weighted(counts, sums, numbers));
  }

  /** The same for the mean over several lists (classes) of their means. */
  meanOfMeansInterval(lists: readonly (readonly (number | null)[])[]): Interval | null {
    const all = lists.map((values) => this.sumsOf(values));
    const withValue = this.patients.filter((_, i) => all.some(({ numbers }) => numbers[i]! > 0));
    if (withValue.length < 2) return null;
    return this.intervalOf((counts) => {
      let [sum, defined] = [0, 0];
      for (const { sums, numbers } of all) {
        const own = weighted(counts, sums, numbers);
        if (own === null) continue;
        sum += own;
        defined++;
      }
      return defined === 0 ? null : sum / defined;
    });
  }

  /** Sum and number of a patient's values. */
  private sumsOf(values: readonly (number | null)[]): { sums: Float64Array; numbers: Int32Array } {
    const sums = new Float64Array(this.patients.length);
    const numbers = new Int32Array(this.patients.length);
    for (const [i, own] of this.patients.entries())
      for (const at of own) {
        const value = values[at] ?? null;
        if (value === null) continue;
        sums[i]! += value;
        numbers[i]!++;
      }
    return { sums, numbers };
  }

  private intervalOf(statistic: (counts: Int32Array) => number | null): Interval | null {
    const { length } = this.patients;
    if (length < 2) return null;
    const found: number[] = [];
    let resamples = 0;
    for (const counts of this.counts()) {
      resamples++;
      const value = statistic(counts);
      if (value !== null) found.push(value);
    }
    if (found.length < 0.9 * resamples) return null;
    const sorted = Float64Array.from(found).sort();
    return { low: percentile(sorted, 2.5), high: percentile(sorted, 97.5), patients: length, resamples };
  }
}

function weighted(counts: Int32Array, sums: Float64Array, numbers: Int32Array): number | null {
  let [sum, number] = [0, 0];
  for (let i = 0; i < counts.length; i++) {
    sum += counts[i]! * sums[i]!;
    number += counts[i]! * numbers[i]!;
  }
  return number === 0 ? null : sum / number;
}
