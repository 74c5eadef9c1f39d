/** A line of a figure: points with intervals, by rising x. */
export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low: number; readonly high: number }[];
}

/** Colours that people who are colour-blind can tell apart (Okabe and Ito 2008). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'];
const [width, height] = [640, 400];
const frame = { left: 56, right: 150, top: 34, bottom: 46 };

const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** An SVG picture: lines with intervals over a logarithmic axis; y from 0 to 1. */
export function figureOf(lines: readonly Line[], { title, x: axis }: { title: string; x: string }): string {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const [first, last] = [Math.log(xs[0] ?? 1), Math.log(xs.at(-1) ?? 1)];
  const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };
  // Lines lie beside each other, so that intervals do not cover each other.
  const px = (x: number, line: number) =>
    frame.left +
    (last > first ? (Math.log(x) - first) / (last - first) : 0.5) * inner.width +
    (line - lines.length / 2) * 3;
  const py = (y: number) => frame.top + (1 - y) * inner.height;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${frame.left}" y="20" font-size="14">${escaped(title)}</text>`,
    `<text x="${frame.left + inner.width / 2}" y="${height - 8}" text-anchor="middle">${escaped(axis)}</text>`,
  ];
  for (let tick = 0; tick <= 10; tick += 2) {
    const y = py(tick / 10).toFixed(1);
    parts.push(`<line x1="${frame.left}" x2="${frame.left + inner.width}" y1="${y}" y2="${y}" stroke="#ddd"/>`);
    parts.push(`<text x="${frame.left - 8}" y="${y}" text-anchor="end" dy="4">${(tick / 10).toFixed(1)}</text>`);
  }
  for (const x of xs)
    parts.push(`<text x="${px(x, lines.length / 2).toFixed(1)}" y="${height - 28}" text-anchor="middle">${x}</text>`);
  for (const [i, { name, points }] of lines.entries()) {
    const colour = colours[i % colours.length];
    const at = points.map(({ x, y }) => `${px(x, i).toFixed(1)},${py(y).toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${at}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const { x, y, low, high } of points) {
      const place = px(x, i).toFixed(1);
      parts.push(
        `<line x1="${place}" x2="${place}" y1="${py(low).toFixed(1)}" y2="${py(high).toFixed(1)}" stroke="${colour}"/>`,
      );
      parts.push(`<circle cx="${place}" cy="${py(y).toFixed(1)}" r="3" fill="${colour}"/>`);
    }
    const top = frame.top + 8 + 18 * i;
    parts.push(`<rect x="${width - frame.right + 24}" y="${top - 6}" width="12" height="4" fill="${colour}"/>`);
    parts.push(`<text x="${width - frame.right + 42}" y="${top}">${escaped(name)}</text>`);
  }
  return `${parts.join('\n')}\n</svg>\n`;
}
