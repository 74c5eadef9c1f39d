import uPlot from 'uplot';
import { element, setText } from '../shared/dom.ts';
import { formatPosition, type PhaseSpan, type XAxis } from './axes.ts';
import { digitsOf, type SeriesInfo } from './catalog.ts';
import { type Curve, extent, nearestRecorded, rowsIn } from './curve.ts';
import { atEnds, type CurveAt, intervalText, legendOf, nameOf, severalRuns, spreadText } from './curveNames.ts';
import { drawCurve, drawLimits, drawMarkers, drawPhases } from './draw.ts';
import { formatNumber } from './format.ts';
import { listenForGestures } from './gestures.ts';
import { Legend } from './legend.ts';
import { type PlotOwner, plotOptions, scalesOf } from './plotOptions.ts';
import type { Theme } from './theme.ts';
import { valueRange } from './ticks.ts';
import { Tooltip } from './tooltip.ts';

/** A warning at its place along the axis. */
export interface Marker {
  x: number;
  text: string;
  severe: boolean;
  /** The colour of its run in a comparison. */
  color?: string;
}

/** All that a chart shows. */
export interface ChartContent {
  curves: Curve[];
  phases: PhaseSpan[];
  markers: Marker[];
  /** Values beyond which something is wrong, each once. */
  limits: { value: number; label: string }[];
  axis: XAxis;
  log: boolean;
  range: [from: number, to: number];
  theme: Theme;
}

/** What a chart reports: the position of the pointer, and the chosen range (null: all). */
export interface ChartEvents {
  cursor(x: number | null): void;
  zoom(range: [number, number] | null): void;
  enlarge(key: string): void;
  /** The keyboard moved the cursor of the chart to these values. */
  speak(text: string): void;
  /** The chart got the focus: it becomes the tab stop of its grid. */
  focused(chart: Chart): void;
}

/** A small chart of one series with all visible runs: uPlot provides axes, cursor and selection; draw.ts draws the curves. */
export class Chart implements PlotOwner {
  readonly root: HTMLElement;
  private readonly body = element('div', {
    className: 'chart-body',
    tabIndex: -1,
    attributes: { role: 'group', 'aria-roledescription': 'chart', 'aria-describedby': 'um-chart-help' },
  });
  private readonly unit: HTMLElement;
  private readonly value = element('output', { className: 'chart-value' });
  private readonly enlargeButton: HTMLButtonElement;
  private readonly tooltip = new Tooltip();
  private readonly legend = new Legend();
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
    // The keyboard reaches it by Enter on the chart: one tab stop is enough for a grid.
    this.enlargeButton = element('button', { className: 'icon-button enlarge', type: 'button', tabIndex: -1 });
    this.enlargeButton.append(corners());
    this.enlargeButton.addEventListener('click', () => this.events.enlarge(this.key));
    this.root = element(
      'section',
      { className: 'chart' },
      element(
        'header',
        { className: 'chart-header' },
        element('h3', { title: info.help }, info.title),
        this.unit,
        this.value,
        this.enlargeButton,
      ),
      this.body,
      this.legend.root,
    );
    this.root.dataset.series = this.key;
    this.body.append(this.tooltip.root);
    const chart = this;
    listenForGestures(this.body, {
      get plot() {
        return chart.plot;
      },
      get range() {
        return chart.content?.range;
      },
      get cursorX() {
        return chart.cursorX;
      },
      zoom: (range) => events.zoom(range),
      cursor: (x) => {
        // At once, for several keys within one frame.
        chart.cursorX = x;
        events.cursor(x);
        events.speak(chart.spoken());
      },
    });
    this.body.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      this.events.enlarge(this.key);
    });
    this.body.addEventListener('focus', () => this.events.focused(this));
    this.body.addEventListener('blur', () => this.events.cursor(null));
    this.setEnlarged(false);
  }

  get key(): string {
    return this.info.id;
  }

  /** Whether the tab key stops at this chart. */
  set tabStop(stop: boolean) {
    this.body.tabIndex = stop ? 0 : -1;
  }

  focus(): void {
    this.body.focus();
  }

  /** Place and values at the cursor, for a screen reader. */
  private spoken(): string {
    const shown = this.atCursor();
    if (!shown) return '';
    const { place, rows } = shown;
    const several = rows.length > 1;
    const values = rows
      .filter(({ value }) => value !== '–')
      .map(({ name, value }) => (several ? `${name}: ${value}` : value));
    return `${place}: ${values.join(', ') || 'no value'}`;
  }

  setEnlarged(enlarged: boolean): void {
    this.root.classList.toggle('enlarged', enlarged);
    this.enlargeButton.setAttribute('aria-pressed', String(enlarged));
    this.enlargeButton.setAttribute('aria-label', `${enlarged ? 'Shrink' : 'Enlarge'} ${this.info.title}`);
    this.enlargeButton.title = enlarged ? 'Shrink' : 'Enlarge';
  }

  /** Takes new content, and draws it when the chart is visible. */
  update(content: ChartContent): void {
    this.content = content;
    setText(this.unit, [this.info.unit, this.log ? 'log' : ''].filter(Boolean).join(' · '));
    this.showValue();
    if (this.info.members) this.legend.show(legendOf(content.curves));
    this.dirty = true;
    if (this.visible) this.draw();
  }

  /** The observer of the page calls this: invisible charts cost nothing. */
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
      const size = { width: this.body.clientWidth, height: this.body.clientHeight };
      this.plot = new uPlot(plotOptions(size, content.axis, log, content.theme, this), [[], []], this.body);
    }
    this.resize();
    this.plot.setData([content.range, [null, null]], true);
    this.setCursor(this.cursorX);
  }

  drawBelow(plot: uPlot): void {
    const { phases, limits, theme } = this.content!;
    drawPhases(plot.ctx, phases, scalesOf(plot), theme);
    drawLimits(plot.ctx, limits, scalesOf(plot), theme);
  }

  drawAbove(plot: uPlot): void {
    const { curves, markers, range, theme } = this.content!;
    const scales = scalesOf(plot);
    // The emphasised run is drawn last, over the others.
    const inOrder = curves.toReversed().sort((a, b) => Number(b.faded ?? false) - Number(a.faded ?? false));
    for (const curve of inOrder) drawCurve(plot.ctx, curve, scales, ...rowsIn(curve.x, ...range));
    drawMarkers(plot.ctx, markers, scales, theme);
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

  valueRange(): [number, number] {
    const log = this.log;
    const [low, high] = this.valueExtent(log);
    const limits = this.content!.limits.map(({ value }) => value).filter((value) => !log || value > 0);
    if (!(low <= high)) return valueRange(low, high, [...(this.info.include ?? []), ...limits], log);
    return valueRange(Math.min(low, ...limits), Math.max(high, ...limits), [...(this.info.include ?? [])], log);
  }

  range(): [number, number] {
    return this.content!.range;
  }

  cursorMoved(u: uPlot): void {
    const { left, event } = u.cursor as { left?: number; event?: MouseEvent };
    if (!event) return;
    this.pointerInside = left !== undefined && left >= 0;
    this.events.cursor(this.pointerInside ? u.posToVal(left!, 'x') : null);
  }

  selected(u: uPlot): void {
    if (u.select.width < 2) return;
    const range: [number, number] = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.events.zoom(range);
  }

  reset(): void {
    this.events.zoom(null);
  }

  /** The largest distance of a shown value from the cursor: a hundredth of the range. */
  private get tolerance(): number {
    const [from, to] = this.content!.range;
    return (to - from) / 100;
  }

  /** The row of a curve at the cursor, or its latest one; −1 where there is none. */
  private rowOf(curve: Curve): number {
    return this.cursorX === null ? curve.line.length - 1 : nearestRecorded(curve, this.cursorX, this.tolerance);
  }

  /** The values at the cursor, or the latest ones, of the only run or the emphasised one of several. */
  private showValue(): void {
    const curves = this.content?.curves ?? [];
    const several = severalRuns(curves);
    const emphasised = several && curves.some(({ faded }) => faded);
    const ofFirst = several && !emphasised ? [] : curves.filter(({ faded }) => !faded);
    const digits = digitsOf(this.info);
    const found = ofFirst.map((curve): CurveAt => ({ curve, row: this.rowOf(curve) }));
    const values = found.map(({ curve, row }) => {
      const value = formatNumber(curve.line[row], found.length > 1 ? Math.min(3, digits) : digits);
      if (found.length > 1 && curve.modality) return `${curve.modality} ${value}`;
      const interval = this.info.interval ? intervalText({ curve, row }) : '';
      return interval === '' ? value : `${value} (${interval})`;
    });
    const shown = this.info.members ? spreadText(found) : values.join(' · ');
    const text = shown !== '' ? shown : several ? '' : '–';
    setText(this.value, text);
    this.body.setAttribute(
      'aria-label',
      text ? `${this.info.title}: ${text} ${this.info.unit}`.trim() : this.info.title,
    );
  }

  /** Place, values and warnings at the cursor; undefined: there is none. */
  private atCursor() {
    const content = this.content;
    const x = this.cursorX;
    if (!content || x === null) return undefined;
    const digits = digitsOf(this.info);
    const all = content.curves.map((curve): CurveAt => ({ curve, row: this.rowOf(curve) }));
    const found = this.info.members ? atEnds(all) : all;
    const several = severalRuns(content.curves);
    const rows = found.map(({ curve, row }) => {
      const interval = this.info.interval ? intervalText({ curve, row }) : '';
      const recorded = `recorded ${formatNumber(curve.raw[row], digits)}`;
      return {
        ...{ color: curve.color, dash: curve.dash },
        name: nameOf(curve, several, this.info.modality === 'each'),
        value: formatNumber(curve.line[row], digits),
        exact: curve.line !== curve.raw ? recorded : interval === '' ? '' : `95 %: ${interval}`,
      };
    });
    // Place, phase and value are those of one row: near a border of phases, the cursor's place would name the other phase.
    const first = found.find(({ row }) => row >= 0);
    const at = first ? first.curve.x[first.row]! : x;
    const place = formatPosition(content.axis, content.axis === 'step' ? Math.round(at) : at);
    const phase = first?.curve.modality ?? content.phases.find((s) => at >= s.from && at < s.to)?.phase;
    return { place: phase ? `${place} · ${phase}` : place, rows };
  }

  private showTooltip(): void {
    const shown = this.atCursor();
    const { plot, content, cursorX } = this;
    if (!plot || !content || cursorX === null || !shown) {
      this.tooltip.hide();
      return;
    }
    const left = plot.valToPos(cursorX, 'x');
    const near = content.markers.filter((m) => Math.abs(plot.valToPos(m.x, 'x') - left) < 8);
    const hidden = content.curves.length - shown.rows.length;
    this.tooltip.show(
      shown.place,
      shown.rows,
      [...(hidden > 0 ? [`and ${hidden} between`] : []), ...near.map((m) => m.text)],
      left + plot.bbox.left / uPlot.pxRatio,
      this.body.clientWidth,
    );
  }
}

/** The icon for enlarging, as the editor's `screen-full`: four corners. */
function corners(): SVGElement {
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [name, value] of Object.entries({
    viewBox: '0 0 16 16',
    width: '16',
    height: '16',
    'aria-hidden': 'true',
  }))
    icon.setAttribute(name, value);
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M2.5 6V2.5H6 M10 2.5h3.5V6 M13.5 10v3.5H10 M6 13.5H2.5V10');
  icon.append(path);
  return icon;
}
