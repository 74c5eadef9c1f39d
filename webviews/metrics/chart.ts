import uPlot from 'uplot';
import { axisLabels, formatPosition, formatTick, type PhaseSpan, tickDistances, type XAxis } from './axes.ts';
import { digitsOf, type SeriesInfo } from './catalog.ts';
import { element, setText } from './dom.ts';
import { type Curve, drawCurve, drawMarkers, drawPhases, extent, rowsIn, type Scales } from './draw.ts';
import { formatNumber, formatTicks } from './format.ts';
import { nearestRow } from './table.ts';
import type { Theme } from './theme.ts';
import { logTicks, valueRange } from './ticks.ts';
import { Tooltip } from './tooltip.ts';

/** A warning at its place along the axis. */
export interface Marker {
  x: number;
  text: string;
  severe: boolean;
}

/** All that a chart shows. */
export interface ChartContent {
  curves: Curve[];
  phases: PhaseSpan[];
  markers: Marker[];
  axis: XAxis;
  log: boolean;
  range: [from: number, to: number];
  theme: Theme;
}

/** What a chart reports: where the pointer is, and which range was chosen (null: all). */
export interface ChartEvents {
  cursor(x: number | null): void;
  zoom(range: [number, number] | null): void;
  enlarge(key: string): void;
}

/** A small chart of one series with all visible runs: uPlot's axes, cursor and selection around curves drawn by draw.ts. */
export class Chart {
  readonly root: HTMLElement;
  private readonly body = element('div', { className: 'chart-body' });
  private readonly unit: HTMLElement;
  private readonly value = element('output', { className: 'chart-value' });
  private readonly enlargeButton: HTMLButtonElement;
  private readonly tooltip = new Tooltip();
  private plot: uPlot | undefined;
  private plotKey = '';
  private content: ChartContent | undefined;
  private pointerInside = false;
  private visible = false;
  private dirty = false;
  private cursorX: number | null = null;

  constructor(
    readonly info: SeriesInfo,
    private readonly events: ChartEvents,
  ) {
    this.unit = element('span', { className: 'chart-unit' });
    this.enlargeButton = element('button', { className: 'icon-button enlarge', type: 'button' });
    this.enlargeButton.addEventListener('click', () => this.events.enlarge(this.key));
    this.root = element(
      'section',
      { className: 'chart', attributes: { role: 'group', 'aria-describedby': 'um-chart-help' } },
      element(
        'header',
        { className: 'chart-header' },
        element('h3', { title: info.help }, info.title),
        this.unit,
        this.value,
        this.enlargeButton,
      ),
      this.body,
    );
    this.root.dataset.series = this.key;
    this.body.tabIndex = 0;
    this.body.append(this.tooltip.root);
    this.body.addEventListener('keydown', (event) => this.onKey(event));
    this.body.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    this.body.addEventListener('blur', () => this.events.cursor(null));
    this.setEnlarged(false);
  }

  get key(): string {
    return `${this.info.table}:${this.info.key}`;
  }

  setEnlarged(enlarged: boolean): void {
    this.root.classList.toggle('enlarged', enlarged);
    this.enlargeButton.setAttribute('aria-pressed', String(enlarged));
    this.enlargeButton.setAttribute('aria-label', `${enlarged ? 'Shrink' : 'Enlarge'} ${this.info.title}`);
    this.enlargeButton.title = enlarged ? 'Shrink' : 'Enlarge';
  }

  /** Takes new content; it is drawn when the chart is in sight. */
  update(content: ChartContent): void {
    this.content = content;
    setText(this.unit, [this.info.unit, this.log ? 'log' : ''].filter(Boolean).join(' · '));
    this.showValue();
    this.dirty = true;
    if (this.visible) this.draw();
  }

  /** Told by the observer of the page: charts out of sight cost nothing. */
  setVisible(visible: boolean): void {
    this.visible = visible;
    if (visible && this.dirty) this.draw();
  }

  resize(): void {
    const { clientWidth, clientHeight } = this.body;
    if (this.plot && clientWidth > 0 && (this.plot.width !== clientWidth || this.plot.height !== clientHeight))
      this.plot.setSize({ width: clientWidth, height: clientHeight });
  }

  /** Shows the cursor at a place along the axis that another chart reports. */
  setCursor(x: number | null): void {
    this.cursorX = x;
    this.showValue();
    if (!this.plot) return;
    const inside = x !== null && x >= this.plot.scales.x!.min! && x <= this.plot.scales.x!.max!;
    this.plot.setCursor({ left: inside ? this.plot.valToPos(x, 'x') : -10, top: -10 }, false);
    if (!this.pointerInside && document.activeElement !== this.body) this.tooltip.hide();
    else this.showTooltip();
  }

  destroy(): void {
    this.plot?.destroy();
    this.root.remove();
  }

  private get log(): boolean {
    if (!this.content?.log) return false;
    const [low, high] = this.valueExtent(true);
    return low > 0 && high / low >= 2;
  }

  private draw(): void {
    const content = this.content;
    if (!content || this.body.clientWidth === 0) return;
    this.dirty = false;
    const log = this.log;
    const key = JSON.stringify([log, content.axis, content.theme]);
    if (!this.plot || key !== this.plotKey) {
      this.plot?.destroy();
      this.plotKey = key;
      this.plot = new uPlot(this.options(content, log), [[], []], this.body);
    }
    this.resize();
    this.plot.setData([content.range, [null, null]], true);
    this.setCursor(this.cursorX);
  }

  private options(content: ChartContent, log: boolean): uPlot.Options {
    const { theme, axis } = content;
    const shared = {
      stroke: theme.text,
      font: theme.font,
      grid: { stroke: theme.grid, width: 1 },
      ticks: { show: false },
      border: { show: false },
    };
    return {
      width: this.body.clientWidth,
      height: this.body.clientHeight,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      series: [{}, { show: true, points: { show: false } }],
      scales: {
        x: { time: false, range: () => this.content!.range },
        y: { distr: log ? 3 : 1, range: () => this.valueRange(log) },
      },
      axes: [
        {
          ...shared,
          size: 24,
          gap: 4,
          space: 48,
          label: axisLabels[axis],
          labelSize: 15,
          labelGap: 0,
          labelFont: theme.font,
          incrs: tickDistances(axis),
          values: (_, splits, __, ___, distance) => splits.map((v) => formatTick(axis, v, distance)),
        },
        {
          ...shared,
          size: 50,
          gap: 4,
          space: (_, __, ___, ____, height) => Math.max(28, height / 8),
          ...(log
            ? { splits: (_, __, min: number, max: number) => logTicks(min, max), filter: (_, splits) => splits }
            : {}),
          values: (_, splits) => (log ? splits.map((v) => formatNumber(v, 3)) : formatTicks(splits)),
        },
      ],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 4 },
        bind: { dblclick: () => () => this.resetZoom() },
      },
      hooks: {
        drawClear: [(u) => drawPhases(u.ctx, this.content!.phases, this.scales(u), theme)],
        draw: [(u) => this.drawContent(u)],
        setCursor: [(u) => this.onCursor(u)],
        setSelect: [(u) => this.onSelect(u)],
      },
    };
  }

  private scales(u: uPlot): Scales {
    const { left, top, width, height } = u.bbox;
    return {
      x: (v) => u.valToPos(v, 'x', true),
      y: (v) => (this.log && v <= 0 ? Number.NaN : u.valToPos(v, 'y', true)),
      left,
      top,
      width,
      height,
      ratio: uPlot.pxRatio,
    };
  }

  private drawContent(u: uPlot): void {
    const { curves, markers, range, theme } = this.content!;
    const scales = this.linearScales(u);
    for (const curve of curves.toReversed()) drawCurve(u.ctx, curve, scales, ...rowsIn(curve.x, ...range));
    drawMarkers(u.ctx, markers, scales, theme);
  }

  /** The scales as two multiplications, for the many values of a curve. */
  private linearScales(u: uPlot): Scales {
    const log = u.scales.y!.distr === 3;
    const { left, top, width, height } = u.bbox;
    const { min: x0, max: x1 } = u.scales.x as { min: number; max: number };
    const map = log ? Math.log10 : (v: number) => v;
    const y0 = map(u.scales.y!.min!);
    const y1 = map(u.scales.y!.max!);
    const kx = width / (x1 - x0);
    const ky = height / (y1 - y0);
    return {
      x: (v) => left + (v - x0) * kx,
      y: (v) => (log && v <= 0 ? Number.NaN : top + height - (map(v) - y0) * ky),
      left,
      top,
      width,
      height,
      ratio: uPlot.pxRatio,
    };
  }

  private valueExtent(positive: boolean): [number, number] {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const curve of this.content!.curves) {
      const [l, h] = extent(curve, ...rowsIn(curve.x, ...this.content!.range), positive);
      low = Math.min(low, l);
      high = Math.max(high, h);
    }
    return [low, high];
  }

  private valueRange(log: boolean): [number, number] {
    return valueRange(...this.valueExtent(log), this.info.include ?? [], log);
  }

  private onCursor(u: uPlot): void {
    const { left, event } = u.cursor as { left?: number; event?: MouseEvent };
    if (!event) return;
    this.pointerInside = left !== undefined && left >= 0;
    this.events.cursor(this.pointerInside ? u.posToVal(left!, 'x') : null);
  }

  private onSelect(u: uPlot): void {
    if (u.select.width < 2) return;
    const range: [number, number] = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.events.zoom(range);
  }

  private resetZoom(): null {
    this.events.zoom(null);
    return null;
  }

  /** Ctrl (or ⌘) and the wheel zoom about the pointer, as a pinch does; Shift and the wheel move. The plain wheel scrolls the page. */
  private onWheel(event: WheelEvent): void {
    if (!this.plot || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? 16 : 1;
    const delta = (Math.abs(event.deltaY) > Math.abs(event.deltaX) ? event.deltaY : event.deltaX) * pixels;
    if (event.shiftKey) {
      this.move(delta / Math.max(1, this.plot.over.clientWidth));
      return;
    }
    const left = event.clientX - this.plot.over.getBoundingClientRect().left;
    this.scale(Math.exp(Math.max(-1, Math.min(1, delta * 0.004))), this.plot.posToVal(left, 'x'));
  }

  private onKey(event: KeyboardEvent): void {
    if (!this.content || event.ctrlKey || event.metaKey || event.altKey) return;
    const [from, to] = this.content.range;
    const center = this.cursorX ?? (from + to) / 2;
    const actions: Record<string, () => void> = {
      '+': () => this.scale(0.5, center),
      '=': () => this.scale(0.5, center),
      '-': () => this.scale(2, center),
      '0': () => this.resetZoom(),
      Escape: () => this.resetZoom(),
      ArrowLeft: () => (event.shiftKey ? this.move(-0.25) : this.moveCursor(-1)),
      ArrowRight: () => (event.shiftKey ? this.move(0.25) : this.moveCursor(1)),
      Home: () => this.events.cursor(from),
      End: () => this.events.cursor(to),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  private moveCursor(direction: -1 | 1): void {
    const [from, to] = this.content!.range;
    const step = (to - from) / 100;
    const x = this.cursorX === null ? (direction > 0 ? from : to) : this.cursorX + direction * step;
    this.events.cursor(Math.min(to, Math.max(from, x)));
  }

  private scale(factor: number, about: number): void {
    const [from, to] = this.content!.range;
    this.events.zoom([about + (from - about) * factor, about + (to - about) * factor]);
  }

  private move(share: number): void {
    const [from, to] = this.content!.range;
    this.events.zoom([from + (to - from) * share, to + (to - from) * share]);
  }

  /** How far from the cursor a value may lie to be shown for it: a hundredth of the range. */
  private get tolerance(): number {
    const [from, to] = this.content!.range;
    return (to - from) / 100;
  }

  /** The value of the first run at the cursor, or its latest one. */
  private showValue(): void {
    const curve = this.content?.curves[0];
    let text = '–';
    if (curve) {
      const row =
        this.cursorX === null ? lastRecorded(curve.line) : nearestRecorded(curve, this.cursorX, this.tolerance);
      text = formatNumber(curve.line[row], digitsOf(this.info.key));
    }
    setText(this.value, text);
    this.body.setAttribute('aria-label', `${this.info.title}: ${text} ${this.info.unit}`.trim());
  }

  private showTooltip(): void {
    const content = this.content;
    if (!this.plot || !content || this.cursorX === null) {
      this.tooltip.hide();
      return;
    }
    const x = this.cursorX;
    const plot = this.plot;
    const left = plot.valToPos(x, 'x');
    const rows = content.curves.map((curve) => {
      const row = nearestRecorded(curve, x, this.tolerance);
      const value = formatNumber(curve.line[row], digitsOf(this.info.key));
      const exact = curve.line === curve.raw ? '' : formatNumber(curve.raw[row], digitsOf(this.info.key));
      return { color: curve.color, name: curve.runName, value, exact };
    });
    const near = content.markers.filter((m) => Math.abs(plot.valToPos(m.x, 'x') - left) < 8);
    const span = content.phases.find((s) => x >= s.from && x <= s.to);
    const place = formatPosition(content.axis, content.axis === 'step' ? Math.round(x) : x);
    this.tooltip.show(
      span ? `${place} · ${span.phase}` : place,
      rows,
      near.map((m) => m.text),
      left + plot.bbox.left / uPlot.pxRatio,
      this.body.clientWidth,
    );
  }
}

/** The last row with a value, or −1. */
function lastRecorded(values: Float64Array): number {
  return values.findLastIndex((v) => !Number.isNaN(v));
}

/**
 * The row with a value that is nearest to a place, or −1 where the run has none near it: beyond its ends, or, in a table of
 * steps, in a phase without this series. Epochs lie far apart, so that the nearest one counts within the run.
 */
function nearestRecorded(curve: Curve, x: number, tolerance: number): number {
  const start = nearestRow(curve.x, x);
  if (start < 0 || x < curve.x[0]! - tolerance || x > curve.x.at(-1)! + tolerance) return -1;
  for (let away = 0; away < 50; away++) {
    for (const row of [start - away, start + away]) {
      if (Number.isNaN(curve.line[row] ?? Number.NaN)) continue;
      if (curve.phase === undefined || Math.abs(curve.x[row]! - x) <= tolerance) return row;
    }
  }
  return -1;
}
