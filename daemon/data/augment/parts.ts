/**
 * Splits `values` into as many equal consecutive parts as there are `amounts` and calls `change` with each part (a view of the
 * same memory) and its amount: one amount for each slice of a volume, or one for all of it.
 */
export function eachPart(
  values: Float32Array,
  amounts: readonly number[],
  change: (part: Float32Array, amount: number) => void,
): void {
  const length = values.length / amounts.length;
  amounts.forEach((amount, i) => {
    change(values.subarray(i * length, (i + 1) * length), amount);
  });
}

/** Mean, population standard deviation, minimum and maximum. */
export function statisticsOf(values: Float32Array): { mean: number; deviation: number; min: number; max: number } {
  let sum = 0;
  let min = values[0]!;
  let max = min;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const distance = values[i]! - mean;
    squares += distance * distance;
  }
  return { mean, deviation: Math.sqrt(squares / values.length), min, max };
}
