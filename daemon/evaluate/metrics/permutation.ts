import { Random } from '../../data/random.ts';

export interface PairedTest {
  readonly pairs: number;
  /** Mean difference, second − first. null without pairs. */
  readonly effect: number | null;
  /** Two-sided. null without pairs. */
  readonly p: number | null;
  /** All swaps were tried. */
  readonly exact: boolean;
  /** The smallest p that this number of pairs can give. */
  readonly smallestP: number;
}

/** Up to this many pairs every swap is tried (65 536 of them). */
const mostExactPairs = 16;
const randomSwaps = 20_000;

/**
 * Paired permutation test of the mean difference: if the two runs were alike, each pair could as well be swapped. p is the share of
 * swaps whose mean difference is at least as large in either direction, the observed one included.
 * @param differences second − first, one a patient
 */
export function pairedPermutationTest(differences: readonly number[], seed: number): PairedTest {
  const pairs = differences.length;
  if (pairs === 0) return { pairs, effect: null, p: null, exact: true, smallestP: 1 };
  const sum = differences.reduce((a, b) => a + b, 0);
  // Sums in another order differ by rounding: such count as equal.
  const reached = Math.abs(sum) - 1e-12 * differences.reduce((a, b) => a + Math.abs(b), 0);
  const exact = pairs <= mostExactPairs;
  const swaps = exact ? 2 ** pairs : randomSwaps;
  const random = new Random(seed, 'permutation');
  let extreme = exact ? 0 : 1;
  for (let swap = 0; swap < swaps; swap++) {
    let total = 0;
    for (let i = 0; i < pairs; i++) {
      const flipped = exact ? ((swap >>> i) & 1) === 1 : random.bool();
      total += flipped ? -differences[i]! : differences[i]!;
    }
    if (Math.abs(total) >= reached) extreme++;
  }
  const p = extreme / (exact ? swaps : swaps + 1);
  return { pairs, effect: sum / pairs, p, exact, smallestP: Math.min(1, 2 / 2 ** pairs) };
}

/** The test in words. `what`: "mean Dice". */
export function describeTest(test: PairedTest, what: string, names: readonly [string, string]): string {
  const { pairs, effect, p, smallestP } = test;
  if (effect === null || p === null) return `No patient has the ${what} in both runs, so they cannot be compared.`;
  const number = `${pairs} ${pairs === 1 ? 'pair' : 'pairs'}`;
  if (smallestP > 0.05)
    return `${number} ${pairs === 1 ? 'is' : 'are'} too few to tell the two runs apart: the smallest p that this test can give is ${round(smallestP)}. At least 6 pairs are needed.`;
  if (effect === 0) return `The ${what} is the same in both runs (${number}).`;
  const size = `${what} of ${names[1]} is ${round(Math.abs(effect))} ${effect >= 0 ? 'higher' : 'lower'} than that of ${names[0]}`;
  return p < 0.05
    ? `The ${size} (${number}, p = ${round(p)}): more than chance alone would explain.`
    : `The ${size} (${number}, p = ${round(p)}): chance alone may explain this difference.`;
}

const round = (value: number) =>
  value !== 0 && value < 0.001 ? value.toExponential(1) : String(+value.toPrecision(3));
