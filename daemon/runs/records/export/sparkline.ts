const levels = [...'▁▂▃▄▅▆▇█'];

/**
 * A line of numbers in one row of text: the lowest is ▁, the highest █. Numbers that are not finite are gaps.
 * @param width most characters; more numbers than that are averaged
 */
export function sparkline(numbers: readonly number[], width: number): string {
  const columns = means(numbers, width);
  const finite = columns.filter(Number.isFinite);
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low;
  return columns
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      return levels[span === 0 ? 0 : Math.round(((value - low) / span) * (levels.length - 1))] ?? ' ';
    })
    .join('');
}

/** Means over at most `count` parts of about the same length; NaN where a part has no finite number. */
export function means(numbers: readonly number[], count: number): number[] {
  const { length } = numbers;
  const parts = Math.min(count, length);
  return Array.from({ length: parts }, (_, i) => {
    const from = Math.floor((i * length) / parts);
    const part = numbers.slice(from, Math.floor(((i + 1) * length) / parts)).filter(Number.isFinite);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
