import { element, oncePerFrame, setText } from '../shared/dom.ts';
import { panels, type SeriesInfo, type ShownPanel, shownSeries } from './catalog.ts';
import { Chart, type ChartEvents } from './chart.ts';
import type { ChartContent } from './chartContent.ts';
import type { Run } from './store.ts';

/**
 * All charts, in one grid per panel. It makes a chart when its series appears, draws only visible charts, and shares one cursor.
 */
export class ChartGrid {
  readonly grids = new Map<ShownPanel, HTMLElement>(
    panels.map(({ id }) => [id, element('div', { className: `grid ${id}` })]),
  );
  private readonly charts = new Map<string, Chart>();
  private cursor: number | null = null;
  private readonly renderCursor = oncePerFrame(() => {
    for (const chart of this.charts.values()) chart.setCursor(this.cursor);
  });
  private readonly inSight = new IntersectionObserver(
    (entries) => {
      for (const e of entries) this.chartOf(e.target)?.setVisible(e.isIntersecting);
    },
    { rootMargin: '200px' },
  );
  private readonly sizes = new ResizeObserver((entries) => {
    for (const e of entries) this.chartOf(e.target)?.resize();
  });

  /** Says values to a screen reader. */
  readonly status = element('p', { className: 'spoken', attributes: { role: 'status' } });

  constructor(private readonly events: Pick<ChartEvents, 'zoom' | 'enlarge'>) {
    for (const grid of this.grids.values())
      grid.addEventListener('keydown', (event) => {
        const chart = (event.target as HTMLElement).closest('.chart');
        if (!chart || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
        event.preventDefault();
        const next = event.key === 'ArrowDown' ? chart.nextElementSibling : chart.previousElementSibling;
        if (next) this.chartOf(next)?.focus();
      });
  }

  /** One chart of each grid is a stop of the tab key: the one that had the focus last, else the first. */
  private stopAt(chart: Chart): void {
    for (const other of this.charts.values())
      if (other.info.panel === chart.info.panel) other.tabStop = other === chart;
  }

  /** Makes the charts for the series of all runs, including hidden ones, so that charts stay in place when a run is hidden. */
  arrange(runs: readonly Run[]): void {
    const wanted = shownSeries(runs);
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [key, chart] of this.charts) {
      if (ids.has(key)) continue;
      chart.destroy();
      this.charts.delete(key);
    }
    /** In each panel, the chart before which the next one is inserted. */
    const following = new Map<ShownPanel, Chart>();
    for (const info of wanted.toReversed())
      following.set(info.panel, this.charts.get(info.id) ?? this.add(info, following.get(info.panel)));
    for (const grid of this.grids.values()) {
      const first = grid.firstElementChild;
      const chart = first && !grid.querySelector('.chart-body[tabindex="0"]') ? this.chartOf(first) : undefined;
      if (chart) chart.tabStop = true;
    }
  }

  /** Updates the content of every chart. */
  update(content: (info: SeriesInfo) => ChartContent, enlarged: readonly string[]): void {
    for (const chart of this.charts.values()) {
      chart.setEnlarged(enlarged.includes(chart.key));
      chart.update(content(chart.info));
    }
  }

  /** Draws all charts at their present size, also those out of sight. */
  drawAll(): void {
    for (const chart of this.charts.values()) {
      chart.resize();
      chart.setVisible(true);
    }
  }

  /** Scrolls to the first chart of a panel; false if it has none. */
  reveal(panel: ShownPanel): boolean {
    const chart = this.grids.get(panel)?.firstElementChild;
    chart?.scrollIntoView({ block: 'center' });
    return Boolean(chart);
  }

  private add(info: SeriesInfo, next: Chart | undefined): Chart {
    const chart = new Chart(info, {
      ...this.events,
      cursor: (x) => {
        this.cursor = x;
        this.renderCursor();
      },
      speak: (text) => setText(this.status, text),
      focused: (focused) => this.stopAt(focused),
    });
    this.charts.set(chart.key, chart);
    this.grids.get(info.panel)?.insertBefore(chart.root, next?.root ?? null);
    this.inSight.observe(chart.root);
    this.sizes.observe(chart.root);
    return chart;
  }

  private chartOf(target: Element): Chart | undefined {
    return this.charts.get((target as HTMLElement).dataset.series ?? '');
  }
}
