import type { PhaseSpan } from './axes.ts';
import type { Curve } from './curve.ts';
import type { Theme } from './theme.ts';

/** From values to canvas pixels. */
export interface Scales {
  x(value: number): number;
  y(value: number): number;
  left: number;
  top: number;
  width: number;
  height: number;
  /** Canvas pixels in a CSS pixel. */
  ratio: number;
}

/** Draws a curve: its extremes as a shade, single values faintly, the line on top. */
export function drawCurve(
  context: CanvasRenderingContext2D,
  curve: Curve,
  scales: Scales,
  first: number,
  last: number,
): void {
  if (last < first) return;
  context.save();
  context.beginPath();
  context.rect(scales.left, scales.top, scales.width, scales.height);
  context.clip();
  context.lineJoin = 'round';
  context.strokeStyle = curve.color;
  context.fillStyle = curve.color;
  const opacity = curve.faded ? 0.25 : 1;
  if (curve.extremes) {
    context.globalAlpha = 0.2 * opacity;
    shade(context, curve, scales, first, last);
  } else if (curve.line !== curve.raw) {
    context.globalAlpha = 0.28 * opacity;
    context.lineWidth = scales.ratio;
    stroke(context, { ...curve, y: curve.raw }, scales, first, last);
  }
  context.globalAlpha = 0.7 * opacity;
  context.lineWidth = 0.75 * scales.ratio;
  bridges(context, curve, scales, first, last);
  context.globalAlpha = opacity;
  context.lineWidth = (curve.thin ? 1 : 1.75) * scales.ratio;
  context.setLineDash((curve.dash ?? []).map((length) => length * scales.ratio));
  stroke(context, { ...curve, y: curve.line }, scales, first, last);
  if (last - first < 80) dots(context, curve, scales, first, last);
  context.restore();
}

/**
 * A line through the values of each segment. Of all values in one pixel column, it draws the first, smallest, largest and last:
 * the same picture with a bounded number of strokes.
 */
function stroke(
  context: CanvasRenderingContext2D,
  { x, y, segment }: Pick<Curve, 'x' | 'segment'> & { readonly y: Float64Array },
  scales: Scales,
  first: number,
  last: number,
): void {
  context.beginPath();
  let column = Number.NaN;
  let low = 0;
  let high = 0;
  let end = 0;
  let open = false;
  const flush = () => {
    if (!open || Number.isNaN(column)) return;
    if (low !== high) {
      context.lineTo(column, low);
      context.lineTo(column, high);
      context.lineTo(column, end);
    }
  };
  for (let i = first; i <= last; i++) {
    const py = scales.y(y[i]!);
    if (!Number.isFinite(py)) {
      flush();
      open = false;
      continue;
    }
    const px = Math.round(scales.x(x[i]!) * 2) / 2;
    if (open && segment && segment[i] !== segment[i - 1]) {
      flush();
      open = false;
    }
    if (open && px === column) {
      if (py < low) low = py;
      if (py > high) high = py;
      end = py;
      continue;
    }
    flush();
    if (open) context.lineTo(px, py);
    else context.moveTo(px, py);
    open = true;
    column = px;
    low = high = end = py;
  }
  flush();
  context.stroke();
}

/** Joins the end of each segment with the start of the next. */
function bridges(context: CanvasRenderingContext2D, curve: Curve, scales: Scales, first: number, last: number): void {
  const { x, line, segment } = curve;
  if (!segment) return;
  context.beginPath();
  for (let i = first + 1; i <= last; i++) {
    if (segment[i] === segment[i - 1]) continue;
    const [from, to] = [scales.y(line[i - 1]!), scales.y(line[i]!)];
    if (!Number.isFinite(from) || !Number.isFinite(to)) continue;
    context.moveTo(scales.x(x[i - 1]!), from);
    context.lineTo(scales.x(x[i]!), to);
  }
  context.stroke();
}

function shade(context: CanvasRenderingContext2D, curve: Curve, scales: Scales, first: number, last: number): void {
  const { low, high } = curve.extremes!;
  for (let from = first; from <= last; ) {
    let to = from + 1;
    while (to <= last && curve.segment?.[to] === curve.segment?.[from]) to++;
    context.beginPath();
    for (let i = from; i < to; i++)
      if (!Number.isNaN(high[i]!)) context.lineTo(scales.x(curve.x[i]!), scales.y(high[i]!));
    for (let i = to - 1; i >= from; i--)
      if (!Number.isNaN(low[i]!)) context.lineTo(scales.x(curve.x[i]!), scales.y(low[i]!));
    context.fill();
    from = to;
  }
}

function dots(context: CanvasRenderingContext2D, curve: Curve, scales: Scales, first: number, last: number): void {
  for (let i = first; i <= last; i++) {
    const py = scales.y(curve.line[i]!);
    if (!Number.isFinite(py)) continue;
    context.beginPath();
    context.arc(scales.x(curve.x[i]!), py, 2.25 * scales.ratio, 0, 2 * Math.PI);
    context.fill();
  }
}

/** Spans narrower than this, in CSS pixels, would be stripes that hide the curves. */
const narrowestSpan = 24;
/** Height of the strip that shows narrow spans instead, in CSS pixels: 2D and 3D differ without colour too. */
const stripHeights = { '2D': 2, '3D': 5 };

/**
 * Tints the background by phase. If every visible span is wide enough for its name, it tints the whole height, so that reading it
 * does not depend on colour; else a strip above the axis.
 */
export function drawPhases(
  context: CanvasRenderingContext2D,
  spans: readonly PhaseSpan[],
  scales: Scales,
  theme: Theme,
): void {
  context.save();
  context.font = `${10 * scales.ratio}px ${theme.font.slice(theme.font.indexOf(' ') + 1)}`;
  context.textBaseline = 'top';
  context.textAlign = 'left';
  const right = scales.left + scales.width;
  const inSight = spans.filter((span) => scales.x(span.to) > scales.left && scales.x(span.from) < right);
  const narrow = inSight.some((span) => scales.x(span.to) - scales.x(span.from) < narrowestSpan * scales.ratio);
  for (const span of inSight) {
    const height = narrow ? stripHeights[span.phase] * scales.ratio : scales.height;
    const from = Math.max(scales.left, scales.x(span.from));
    const to = Math.min(right, scales.x(span.to));
    const colors = narrow ? [theme.strip2D, theme.strip3D] : [theme.band2D, theme.band3D];
    context.fillStyle = colors[span.phase === '2D' ? 0 : 1]!;
    context.fillRect(from, scales.top + scales.height - height, to - from, height);
    if (narrow || to - from < narrowestSpan * scales.ratio) continue;
    context.fillStyle = theme.text;
    context.globalAlpha = 0.75;
    context.fillText(span.phase, from + 4 * scales.ratio, scales.top + 3 * scales.ratio);
    context.globalAlpha = 1;
  }
  context.restore();
}

/** Values beyond which something is wrong: broken lines that say what it is. */
export function drawLimits(
  context: CanvasRenderingContext2D,
  limits: readonly { value: number; label: string }[],
  scales: Scales,
  theme: Theme,
): void {
  context.save();
  context.font = `${10 * scales.ratio}px ${theme.font.slice(theme.font.indexOf(' ') + 1)}`;
  context.textAlign = 'right';
  context.lineWidth = scales.ratio;
  const right = scales.left + scales.width;
  for (const { value, label } of limits) {
    const py = Math.round(scales.y(value)) + 0.5;
    if (!Number.isFinite(py) || py < scales.top || py > scales.top + scales.height) continue;
    context.strokeStyle = theme.warning;
    context.setLineDash([6 * scales.ratio, 4 * scales.ratio]);
    context.beginPath();
    context.moveTo(scales.left, py);
    context.lineTo(right, py);
    context.stroke();
    const above = py - scales.top > 16 * scales.ratio;
    // At the top it stands below the names of the phases.
    context.textBaseline = above ? 'bottom' : 'top';
    context.fillStyle = theme.text;
    context.fillText(label, right - 4 * scales.ratio, py + (above ? -2 : 15) * scales.ratio);
  }
  context.restore();
}

/** Room that a mark takes along the axis, CSS pixels: closer ones would be one block of colour. */
const markRoom = 14;

/** Of marks that are too close to each other only the first is drawn, or a severe one among them. @param room in the unit of `at` */
export function withRoom<M extends { severe: boolean }>(
  markers: readonly M[],
  at: (marker: M) => number,
  room: number,
): M[] {
  const shown: { marker: M; place: number }[] = [];
  for (const { marker, place } of markers
    .map((marker) => ({ marker, place: at(marker) }))
    .sort((a, b) => a.place - b.place)) {
    const last = shown.at(-1);
    if (!last || place - last.place >= room) shown.push({ marker, place });
    else if (marker.severe && !last.marker.severe) last.marker = marker;
  }
  return shown.map(({ marker }) => marker);
}

/** Marks a warning where it occurred: a broken line with a triangle on top. */
export function drawMarkers(
  context: CanvasRenderingContext2D,
  markers: readonly { x: number; severe: boolean; color?: string }[],
  scales: Scales,
  theme: Theme,
): void {
  context.save();
  context.lineWidth = scales.ratio;
  const size = 5 * scales.ratio;
  const inside = markers.filter(({ x }) => scales.x(x) >= scales.left && scales.x(x) <= scales.left + scales.width + 1);
  for (const marker of withRoom(inside, ({ x }) => scales.x(x), markRoom * scales.ratio)) {
    const px = Math.round(scales.x(marker.x)) + 0.5;
    context.strokeStyle = context.fillStyle = marker.color ?? (marker.severe ? theme.error : theme.warning);
    context.setLineDash([3 * scales.ratio, 3 * scales.ratio]);
    context.beginPath();
    context.moveTo(px, scales.top + size);
    context.lineTo(px, scales.top + scales.height);
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(px - size, scales.top - size * 0.4);
    context.lineTo(px + size, scales.top - size * 0.4);
    context.lineTo(px, scales.top + size * 1.2);
    context.fill();
  }
  context.restore();
}
