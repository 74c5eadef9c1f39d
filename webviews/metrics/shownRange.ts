import { nearestRow } from './table.ts';

/** A part of the horizontal axis. */
export type ShownRange = [from: number, to: number];

/** From the first to the last of some rows of positions; [0, 1] where there are none. */
export function fullRange(rows: readonly Float64Array[]): ShownRange {
  const recorded = rows.filter((r) => r.length > 0);
  const from = Math.min(...recorded.map((r) => r[0] ?? 0));
  const to = Math.max(...recorded.map((r) => r.at(-1) ?? 0));
  return from < to ? [from, to] : [0, 1];
}

/** A wanted range, limited to the full one; null: everything, also where it is too wide. */
export function limited(wanted: ShownRange | null, [first, last]: ShownRange): ShownRange | null {
  const width = last - first;
  const span = wanted === null ? width : Math.max(wanted[1] - wanted[0], width * 1e-5);
  if (wanted === null || span >= width) return null;
  const from = Math.min(Math.max(first, wanted[0]), last - span);
  return [from, from + span];
}

/** The same rows along another axis; null where that is no range. */
export function converted([from, to]: ShownRange, before: Float64Array, after: Float64Array): ShownRange | null {
  const at = (value: number) => after[nearestRow(before, value)] ?? 0;
  return at(from) < at(to) ? [at(from), at(to)] : null;
}
