import uPlot from 'uplot';
import { element, setText } from '../shared/dom.ts';
import type { SeriesInfo } from './catalog.ts';
import type { ChartContent } from './chartContent.ts';
import { ChartReading } from './chartReading.ts';
import { extent, rowsIn } from './curve.ts';
import { legendOf } from './curveNames.ts';
import { drawCurve, drawLimits, drawMarkers, drawPhases } from './draw.ts';
import { EnlargeButton } from './enlargeButton.ts';
import { listenForGestures } from './gestures.ts';
import { Legend } from './legend.ts';
import { type PlotOwner, plotOptions, scalesOf } from './plotOptions.ts';
import { valueRange } from './ticks.ts';
import { Tooltip } from './tooltip.ts';

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
  private readonly enlargeButton: EnlargeButton;
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
    this.enlargeButton = new EnlargeButton(info.title, () => this.events.enlarge(this.key));
    this.root = element(
      'section',
      { className: 'chart' },
      element(
        'header',
        { className: 'chart-header' },
        element('h3', { title: info.help }, info.title),
        this.unit,
        this.value,
        this.enlargeButton.root,
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
        events.speak(chart.reading?.spoken() ?? '');
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

  setEnlarged(enlarged: boolean): void {
    this.root.classList.toggle('enlarged', enlarged);
    this.enlargeButton.show(enlarged);
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

  /** What it says at the cursor, or at the end; undefined: it has no content yet. */
  private get reading(): ChartReading | undefined {
    return this.content && new ChartReading(this.info, this.content, this.cursorX);
  }

  private showValue(): void {
    const text = this.reading?.headline() ?? '–';
    setText(this.value, text);
    this.body.setAttribute(
      'aria-label',
      text ? `${this.info.title}: ${text} ${this.info.unit}`.trim() : this.info.title,
    );
  }

  private showTooltip(): void {
    const shown = this.reading?.atCursor();
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
