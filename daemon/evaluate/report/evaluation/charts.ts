import { html, type Markup, nothing } from '../markup.ts';
import { formatNumber } from './numbers.ts';

type Point = readonly [x: number, y: number];

/** A curve with a name; both coordinates from 0 to 1. */
export interface Curve {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface CurveChart {
  readonly id: string;
  readonly title: string;
  /** What a person who does not see it should know. */
  readonly description: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
  /** A dashed line from one point to another: what chance or perfection gives. */
  readonly reference?: readonly [Point, Point];
  /** Filled circles at the points. */
  readonly dots?: boolean;
}

const [left, top, side] = [44, 10, 250] as const;
const x = (value: number) => (left + value * side).toFixed(1);
const y = (value: number) => (top + (1 - value) * side).toFixed(1);
const seriesClass = (i: number) => `line series-${i % 6}`;

/** A square chart of curves between 0 and 1, as a figure. */
export function curveChart(chart: CurveChart): Markup {
  const { id, title, description, curves, reference, dots = false } = chart;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (
      t,
    ) => html`<line class="grid" x1="${x(t)}" y1="${y(0)}" x2="${x(t)}" y2="${y(1)}"/><line class="grid" x1="${x(0)}" y1="${y(t)}" x2="${x(1)}" y2="${y(t)}"/>
<text x="${x(t)}" y="${top + side + 15}" text-anchor="middle">${t}</text><text x="${left - 5}" y="${y(t)}" dy="4" text-anchor="end">${t}</text>`,
  );
  const lines = curves.map(({ points }, i) => {
    const path = points.map(([a, b]) => `${x(a)},${y(b)}`).join(' ');
    const circles = dots
      ? points.map(([a, b]) => html`<circle class="mark" cx="${x(a)}" cy="${y(b)}" r="3"/>`)
      : nothing;
    return html`<polyline class="${seriesClass(i)}" points="${path}"/>${circles}`;
  });
  const dashed = reference
    ? html`<line class="chance" x1="${x(reference[0][0])}" y1="${y(reference[0][1])}" x2="${x(reference[1][0])}" y2="${y(reference[1][1])}"/>`
    : nothing;
  const legend =
    curves.length < 2
      ? nothing
      : html`<ul class="legend">${curves.map(({ name }, i) => html`<li><svg viewBox="0 0 14 14" aria-hidden="true"><line class="${seriesClass(i)}" x1="0" y1="7" x2="14" y2="7"/></svg>${name}</li>`)}</ul>`;
  return html`<figure><h3 id="${id}">${title}</h3>
<svg viewBox="0 0 310 ${side + 50}" role="img" aria-labelledby="${id}" aria-describedby="${id}-about"><desc id="${id}-about">${description}</desc>
${ticks}<rect class="axis" x="${left}" y="${top}" width="${side}" height="${side}"/>${dashed}${lines}
<text x="${left + side / 2}" y="${top + side + 34}" text-anchor="middle">${chart.x}</text>
<text x="12" y="${top + side / 2}" text-anchor="middle" transform="rotate(-90 12 ${top + side / 2})">${chart.y}</text></svg>
${legend}<figcaption>${description}</figcaption></figure>
`;
}

/** Five numbers of a group, and its mean. */
export interface BoxRow {
  readonly name: string;
  readonly minimum: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly maximum: number;
  readonly mean: number;
  readonly count: number;
}

/** Lying box plots, one row a group, on a common axis from 0. */
export function boxPlots(id: string, title: string, unit: string, rows: readonly BoxRow[], highest: number): Markup {
  const [names, width, step] = [170, 460, 20];
  const top = 6;
  const bottom = top + rows.length * step;
  const at = (value: number) => (names + (Math.min(value, highest) / highest) * width).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((t) => {
    const value = t * highest;
    return html`<line class="grid" x1="${at(value)}" y1="${top}" x2="${at(value)}" y2="${bottom}"/><text x="${at(value)}" y="${bottom + 15}" text-anchor="middle">${+value.toPrecision(3)}</text>`;
  });
  const boxes = rows.map((row, i) => {
    const middle = top + (i + 0.5) * step;
    const name = row.name.length > 26 ? `${row.name.slice(0, 25)}…` : row.name;
    const wide = Math.max(0.5, Number(at(row.upperQuartile)) - Number(at(row.lowerQuartile)));
    return html`<g><title>${row.name}: median ${formatNumber(row.median)}, quartiles ${formatNumber(row.lowerQuartile)} and ${formatNumber(row.upperQuartile)}, from ${formatNumber(row.minimum)} to ${formatNumber(row.maximum)}, ${row.count} cases</title>
<text x="${names - 8}" y="${middle + 4}" text-anchor="end">${name}</text>
<line class="box" x1="${at(row.minimum)}" y1="${middle}" x2="${at(row.maximum)}" y2="${middle}"/>
<rect class="box" x="${at(row.lowerQuartile)}" y="${middle - 6}" width="${wide.toFixed(1)}" height="12"/>
<line class="box" x1="${at(row.median)}" y1="${middle - 6}" x2="${at(row.median)}" y2="${middle + 6}"/>
<circle class="mark" cx="${at(row.mean)}" cy="${middle}" r="2.5"/></g>`;
  });
  const about =
    'A row for each class: a line from the lowest to the highest case, a box from the lower to the upper quartile, a stroke at the median, a dot at the mean. The table of classes has the numbers.';
  return html`<figure class="wide"><h3 id="${id}">${title}</h3>
<svg viewBox="0 0 ${names + width + 30} ${bottom + 36}" role="img" aria-labelledby="${id}" aria-describedby="${id}-about"><desc id="${id}-about">${about}</desc>
${ticks}${boxes}<text x="${names + width / 2}" y="${bottom + 31}" text-anchor="middle">${unit}</text></svg>
<figcaption>${about}</figcaption></figure>
`;
}
