import { distance } from 'fastest-levenshtein';

/** The candidate with the fewest edits to `word`, ignoring case; the first of equals. `undefined` if there are no candidates. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const edits = distance(wanted, candidate.toLowerCase());
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

/** As `nearest`, but only a candidate that is plausibly a misspelling of `word`: at most 2 edits, or 40 % of its length. */
export function misspelled(word: string, candidates: readonly string[]): string | undefined {
  const best = nearest(word, candidates);
  if (best === undefined) return undefined;
  const allowed = Math.max(2, Math.floor(best.length * 0.4));
  return distance(word.toLowerCase(), best.toLowerCase()) <= Math.min(allowed, best.length - 1) ? best : undefined;
}
