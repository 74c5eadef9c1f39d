import type { Curve } from './curve.ts';
import { formatNumber } from './format.ts';
import type { LegendEntry } from './legend.ts';

/** What a chart says of its curves in words: their names, the spread of a family, an interval. */

/** Rows of a tooltip at most. */
const mostRows = 12;

/** A curve and the row at the cursor, −1: none. */
export interface CurveAt {
  readonly curve: Curve;
  readonly row: number;
}

export function severalRuns(curves: readonly Curve[]): boolean {
  return new Set(curves.map(({ runId }) => runId)).size > 1;
}

/** @param byModality whether 2D and 3D are curves of one chart */
export function nameOf({ runName, label, modality }: Curve, several: boolean, byModality: boolean): string {
  if (label !== undefined) return several ? `${runName} · ${label}` : label;
  return byModality && modality ? `${runName} · ${modality}` : runName;
}

/** `0.71–0.86`; empty without an interval. A value that is its own end has none. */
export function intervalText({ curve: { extremes }, row }: CurveAt): string {
  const [low, high] = [extremes?.low[row], extremes?.high[row]];
  return low !== undefined && high !== undefined && low < high
    ? `${formatNumber(low, 2)}–${formatNumber(high, 2)}`
    : '';
}

/** `0.42 … 0.97`: the smallest and the largest value of a family; empty where there is none. */
export function spreadText(found: readonly CurveAt[]): string {
  const values = found.map(({ curve, row }) => curve.line[row] ?? Number.NaN).filter(Number.isFinite);
  return values.length === 0 ? '' : `${formatNumber(Math.min(...values), 2)} … ${formatNumber(Math.max(...values), 2)}`;
}

/** The members of a family from the highest value to the lowest; of many, those at both ends. */
export function atEnds(found: readonly CurveAt[]): CurveAt[] {
  const shownAt = ({ curve, row }: CurveAt) => curve.line[row] ?? Number.NEGATIVE_INFINITY;
  const sorted = [...found].sort((a, b) => shownAt(b) - shownAt(a));
  return sorted.length <= mostRows ? sorted : [...sorted.slice(0, mostRows / 2), ...sorted.slice(-mostRows / 2)];
}

/** Each member of a family once; of several runs, which differ by dash, as a solid line. */
export function legendOf(curves: readonly Curve[]): LegendEntry[] {
  const several = severalRuns(curves);
  const entries = new Map(
    curves.map(({ label = '', color, dash }) => [label, { name: label, color, dash: several ? undefined : dash }]),
  );
  return [...entries.values()];
}
