import { UnimissError } from '../../../protocol/errors.ts';
import { Random } from '../../data/random.ts';
import { mean, percentile } from './percentile.ts';

export interface TwoLevelDifference {
  /** Mean difference over seeds and patients. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Share of the resamples, the observed one included, in which the difference is at most −margin: one-sided. */
  readonly p: number;
}

export interface TwoLevelOptions {
  readonly resamples: number;
  readonly seed: number;
  /** The patient of each image; default: each image is one. */
  readonly patients?: readonly string[];
}

/**
 * Paired difference of two arms, with a 95 % interval by a bootstrap on two levels: seeds of training are drawn with replacement, and,
 * the same for all seeds, patients with all their images (seeds and patients are crossed: every network is tested on every patient). The
 * interval thus holds what another training and another test set would change.
 * @param first scores [seeds][images]; null where an image was not tested
 * @param second of the arm that is compared with it, in the same order
 * @param options `patients`: the patient of each image; default: each image is one
 * @throws UnimissError 'internal' where the two differ in size
 */
export function twoLevelDifference(
  first: readonly (readonly (number | null)[])[],
  second: readonly (readonly (number | null)[])[],
  { resamples, seed, margin = 0, patients: names }: TwoLevelOptions & { readonly margin?: number },
): TwoLevelDifference {
  const images = first[0]?.length ?? 0;
  if (
    first.length !== second.length ||
    [...first, ...second].some(({ length }) => length !== images) ||
    (names !== undefined && names.length !== images) ||
    images === 0
  )
    throw new UnimissError('internal', 'the arms differ in seeds or patients', { place: 'two-level bootstrap' });
  const differences = first.map((row, s) =>
    row.map((value, i) => {
      const other = second[s]?.[i] ?? null;
      return value === null || other === null ? null : value - other;
    }),
  );
  const { patientOf, patients } = numbered(names ?? Array.from({ length: images }, (_, i) => String(i)));
  const over = (seeds: readonly number[], counts: ArrayLike<number>) => {
    let [sum, number] = [0, 0];
    for (const s of seeds)
      for (let i = 0; i < images; i++) {
        const value = differences[s]?.[i] ?? null;
        const count = counts[patientOf[i]!]!;
        if (value === null || count === 0) continue;
        sum += count * value;
        number += count;
      }
    return number === 0 ? 0 : sum / number;
  };
  const all = differences.map((_, s) => s);
  const observed = over(all, new Uint32Array(patients).fill(1));
  const random = new Random(seed, 'two-level bootstrap');
  const found = new Float64Array(resamples);
  const counts = new Uint32Array(patients);
  let notAbove = 1;
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    for (let p = 0; p < patients; p++) counts[random.int(patients)]!++;
    found[r] = over(
      all.map(() => random.int(all.length)),
      counts,
    );
    if (found[r]! <= -margin) notAbove++;
  }
  found.sort();
  return {
    difference: observed,
    low: percentile(found, 2.5),
    high: percentile(found, 97.5),
    p: notAbove / (resamples + 1),
  };
}

function numbered(names: readonly string[]): { patientOf: readonly number[]; patients: number } {
  const numbers = new Map([...new Set(names)].map((name, number) => [name, number]));
  return { patientOf: names.map((name) => numbers.get(name) ?? 0), patients: numbers.size };
}

/**
 * Mean of an arm with the interval of the same bootstrap.
 * @param scores [seeds][images]
 */
export function twoLevelMean(
  scores: readonly (readonly (number | null)[])[],
  options: TwoLevelOptions,
): Omit<TwoLevelDifference, 'p' | 'difference'> & { readonly mean: number } {
  const nothing = scores.map((row) => row.map((value) => (value === null ? null : 0)));
  const { difference, low, high } = twoLevelDifference(scores, nothing, options);
  return { mean: difference, low, high };
}

/** Holm's correction (1979) of several p: each is at least as large as before, and never above 1. In the order given. */
export function holm(ps: readonly number[]): number[] {
  const order = [...ps.keys()].sort((a, b) => ps[a]! - ps[b]!);
  const corrected = new Array<number>(ps.length).fill(1);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (ps.length - rank) * ps[i]!));
    corrected[i] = largest;
  }
  return corrected;
}

/** Mean of the values that are there; NaN without any. */
export function meanOf(values: readonly (number | null)[]): number {
  return mean(values.filter((value): value is number => value !== null));
}
