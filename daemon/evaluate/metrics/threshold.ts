export interface AtThreshold {
  /** null: no positives. */
  readonly sensitivity: number | null;
  /** null: no negatives. */
  readonly specificity: number | null;
}

/** Positive where the score is at least `threshold`. */
export function atThreshold(
  scores: ArrayLike<number>,
  positive: ArrayLike<boolean | number>,
  threshold: number,
  weights?: ArrayLike<number>,
): AtThreshold {
  const right = [0, 0];
  const all = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    const kind = positive[i] ? 1 : 0;
    const weight = weights ? weights[i]! : 1;
    all[kind]! += weight;
    if (scores[i]! >= threshold === (kind === 1)) right[kind]! += weight;
  }
  const share = (kind: 0 | 1) => (all[kind] === 0 ? null : right[kind]! / all[kind]!);
  return { sensitivity: share(1), specificity: share(0) };
}
