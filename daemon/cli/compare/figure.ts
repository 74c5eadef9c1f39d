import { html, type Markup, nothing } from '../../evaluate/report/markup.ts';

/** A line of a figure: points with intervals, by rising x. */
export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low: number; readonly high: number }[];
}

export interface Figure {
  /** Unique in its page. */
  readonly id: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** What guessing gives. */
  readonly chance?: number;
}

/** After Okabe and Ito (2008), darkened where needed: each has a contrast of 3:1 to white and to dark grey. */
const colors = ['#0072b2', '#d55e00', '#00916a', '#b35f90', '#a87400', '#2f86bd', '#777777', '#8a63d2'] as const;
const dashes = ['', '7 3', '2 3', '9 3 2 3', '5 2', '1 2', '12 4', '4 2 1 2'] as const;
const [width, height] = [640, 380];
const frame = { left: 52, right: 158, top: 12, bottom: 46 };
const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };
/** Smallest distance between the names at the ends of lines. */
const lineHeight = 15;

/** Markers that differ in shape: lines can be told apart without colours. */
const shapes: readonly ((x: number, y: number) => string)[] = [
  (x, y) => `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z`,
  (x, y) => `M${x - 4} ${y - 4}h8v8h-8z`,
  (x, y) => `M${x} ${y - 5}l5 9h-10z`,
  (x, y) => `M${x} ${y - 5}l5 5l-5 5l-5 -5z`,
  (x, y) => `M${x} ${y + 5}l5 -9h-10z`,
  (x, y) => `M${x - 5} ${y - 1.5}h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z`,
  (x, y) => `M${x - 5} ${y - 2}h10v4h-10z`,
  (x, y) => `M${x - 2} ${y - 5}h4v10h-4z`,
];

/** y axis: from a multiple of 0.1 below all intervals to one above, within 0–1. */
function rangeOf(values: readonly number[]): { low: number; high: number; ticks: number[] } {
  const low = Math.max(0, Math.floor(10 * Math.min(...values) + 1e-9) / 10);
  const high = Math.min(1, Math.max(low + 0.1, Math.ceil(10 * Math.max(...values) - 1e-9) / 10));
  const steps = Math.round((high - low) * 10);
  const step = steps > 5 ? 0.2 : steps > 2 ? 0.1 : 0.05;
  const first = Math.ceil(low / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, i) => first + i * step);
  return { low, high, ticks };
}

/** Where names stand so that none covers another, in the order given. */
export function spread(wanted: readonly number[], distance: number, low: number, high: number): number[] {
  const order = [...wanted.keys()].sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const placed = new Array<number>(wanted.length).fill(low);
  let lowest = low;
  for (const i of order) {
    placed[i] = Math.max(wanted[i] ?? low, lowest);
    lowest = (placed[i] ?? low) + distance;
  }
  let highest = high;
  for (const i of order.toReversed()) {
    placed[i] = Math.min(placed[i] ?? high, highest);
    highest = (placed[i] ?? high) - distance;
  }
  return placed;
}

/**
 * Lines with intervals over a logarithmic axis: name, marker, dashes and colour tell them apart. Text has the colour of its
 * surroundings, so the picture suits light and dark pages.
 */
export function figureOf({ id, title, x: axis, y: score, lines, chance }: Figure): Markup {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const [first, last] = [Math.log(xs[0] ?? 1), Math.log(xs.at(-1) ?? 1)];
  const values = lines.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high]));
  const range = rangeOf([...values, ...(chance === undefined ? [] : [chance])]);
  const middle = (x: number) =>
    frame.left + 20 + (last > first ? (Math.log(x) - first) / (last - first) : 0.5) * (inner.width - 40);
  // Lines lie beside each other, so that intervals do not cover each other.
  const px = (x: number, line: number) => Number((middle(x) + (line - (lines.length - 1) / 2) * 4).toFixed(1));
  const py = (y: number) =>
    Number((frame.top + ((range.high - y) / (range.high - range.low)) * inner.height).toFixed(1));
  const right = frame.left + inner.width;
  const grid = range.ticks.map(
    (tick) => html`<line class="grid" x1="${frame.left}" x2="${right}" y1="${py(tick)}" y2="${py(tick)}"/>
<text x="${frame.left - 7}" y="${py(tick)}" dy="4" text-anchor="end">${tick.toFixed(2).replace(/0$/, '')}</text>`,
  );
  const labels = xs.map(
    (x) => html`<text x="${middle(x)}" y="${frame.top + inner.height + 18}" text-anchor="middle">${x}</text>`,
  );
  const ends = spread(
    lines.map(({ points }) => py(points.at(-1)?.y ?? range.low)),
    lineHeight,
    frame.top + 4,
    frame.top + inner.height,
  );
  const drawn = lines.map(({ name, points }, i) => {
    const color = colors[i % colors.length] ?? 'currentColor';
    const shape = shapes[i % shapes.length] ?? shapes[0];
    const at = points.map(({ x, y }) => `${px(x, i)},${py(y)}`).join(' ');
    const bars = points.map(
      ({ x, low, high }) =>
        html`<line x1="${px(x, i)}" x2="${px(x, i)}" y1="${py(low)}" y2="${py(high)}" stroke="${color}" stroke-width="1.2"/>`,
    );
    const marks = points.map(
      ({ x, y, low, high }) =>
        html`<path d="${shape?.(px(x, i), py(y)) ?? ''}" fill="${color}"><title>${name}, ${x}: ${y.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]</title></path>`,
    );
    const end = points.at(-1);
    const place = ends[i] ?? frame.top;
    const leader = end
      ? html`<line class="leader" x1="${px(end.x, i) + 6}" y1="${py(end.y)}" x2="${right + 12}" y2="${place}" stroke="${color}" stroke-width="0.8"/>`
      : nothing;
    return html`<g><polyline points="${at}" fill="none" stroke="${color}" stroke-width="1.8" stroke-dasharray="${dashes[i % dashes.length] ?? ''}"/>${bars}${marks}${leader}
<path d="${shape?.(right + 19, place) ?? ''}" fill="${color}"/><text x="${right + 29}" y="${place}" dy="4">${name}</text></g>
`;
  });
  const guess =
    chance === undefined
      ? nothing
      : html`<line class="chance" x1="${frame.left}" x2="${right}" y1="${py(chance)}" y2="${py(chance)}"/><text x="${right - 5}" y="${py(chance) - 4}" text-anchor="end">chance</text>`;
  const about = `${score} over ${axis}. ${lines.map(({ name, points }) => `${name}: ${points.map(({ x, y }) => `${y.toFixed(3)} with ${x}`).join(', ')}`).join('; ')}.`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}" aria-describedby="${id}-about"><title id="${id}">${title}</title><desc id="${id}-about">${about}</desc>
${grid}<rect class="axis" x="${frame.left}" y="${frame.top}" width="${inner.width}" height="${inner.height}"/>${guess}
${drawn}${labels}
<text x="${frame.left + inner.width / 2}" y="${height - 8}" text-anchor="middle">${axis}</text>
<text x="13" y="${frame.top + inner.height / 2}" text-anchor="middle" transform="rotate(-90 13 ${frame.top + inner.height / 2})">${score}</text></svg>`;
}

/** Colours of a figure that is a file of its own; in a page they are the page's. */
const ownStyle = `<style>
svg { background: #ffffff; font: 11px system-ui, sans-serif; }
text { fill: #1b1f24; } .grid { stroke: #d0d7de; } .axis, .chance { stroke: #57606a; fill: none; } .chance { stroke-dasharray: 4 4; }
@media (prefers-color-scheme: dark) { svg { background: #181818; } text { fill: #d7dae0; } .grid { stroke: #3a3f45; } .axis, .chance { stroke: #a0a7b0; } }
</style>`;

/** A figure as a file: an SVG picture. */
export function figureFile(figure: Figure): string {
  return `${figureOf(figure).text.replace(/(<svg [^>]*>)/, `$1${ownStyle}`)}\n`;
}
