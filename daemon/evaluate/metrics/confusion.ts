/** Counts (or sums of weights) [reference][predicted] of cases with exactly one class. */
export function confusionMatrix(
  reference: readonly number[],
  predicted: readonly number[],
  classes: number,
  weights?: ArrayLike<number>,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, r] of reference.entries()) matrix[r]![predicted[i]!]! += weights ? weights[i]! : 1;
  return matrix;
}

export interface ClassRates {
  /** Share of the cases of the class that were predicted as it; null: there is none. */
  readonly recall: number | null;
  /** 2·TP / (2·TP + FP + FN); 0 where nothing is right; null where the class is neither there nor predicted. */
  readonly f1: number | null;
}

export function ratesOf(matrix: readonly (readonly number[])[]): ClassRates[] {
  return matrix.map((row, c) => {
    const actual = row.reduce((a, b) => a + b, 0);
    const named = matrix.reduce((sum, other) => sum + other[c]!, 0);
    const right = row[c]!;
    return {
      recall: actual === 0 ? null : right / actual,
      f1: actual + named === 0 ? null : (2 * right) / (actual + named),
    };
  });
}

/** Mean of what is defined; null where nothing is. */
export function meanDefined(values: readonly (number | null)[]): number | null {
  const defined = values.filter((value) => value !== null);
  return defined.length === 0 ? null : defined.reduce((a, b) => a + b, 0) / defined.length;
}
