import { distance } from 'fastest-levenshtein';

/**
 * The candidate that `word` is plausibly a misspelling of: at most a third of the letters differ; two swapped neighbours count
 * as one. Ignores case, `_` and `-`. The first of equals; undefined if none is close. The only "did you mean" of the project.
 */
export function misspelled(word: string, candidates: readonly string[]): string | undefined {
  const wanted = plain(word);
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const given = plain(candidate);
    const edits = swapped(wanted, given) ? Math.min(1, distance(wanted, given)) : distance(wanted, given);
    if (edits < fewest && edits <= Math.floor(Math.max(wanted.length, given.length) / 3)) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

/** Letters and digits only, in lower case. */
export function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Whether two words differ by one swap of neighbours. */
function swapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const first = [...a].findIndex((letter, i) => letter !== b[i]);
  return first >= 0 && a.slice(0, first) + (a[first + 1] ?? '') + a[first] + a.slice(first + 2) === b;
}
