import { compareSeries, type GroupId, groups, type SeriesInfo, seriesInfo } from './catalog.ts';
import { Chart, type ChartContent, type ChartEvents } from './chart.ts';
import { element, oncePerFrame } from './dom.ts';
import type { Run } from './store.ts';

const positionKeys = new Set(['step', 'epoch', 'time', 'phase']);

/** All charts, in a grid per group: made as series turn up, drawn only while in sight, with one cursor. */
export class ChartGrid {
  readonly grids = new Map<GroupId, HTMLElement>(groups.map(({ id }) => [id, element('div', { className: 'grid' })]));
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

  constructor(private readonly events: Omit<ChartEvents, 'cursor'>) {}

  /** Makes the charts of all runs' series: of hidden runs too, so that charts stay where they are when a run is switched off. */
  arrange(runs: Iterable<Run>): void {
    const wanted = new Map<string, SeriesInfo>();
    for (const run of runs)
      for (const table of ['steps', 'epochs'] as const)
        for (const key of run[table].keys)
          if (!positionKeys.has(key)) wanted.set(`${table}:${key}`, seriesInfo(table, key));
    for (const [key, chart] of this.charts) {
      if (wanted.has(key)) continue;
      chart.destroy();
      this.charts.delete(key);
    }
    for (const info of [...wanted.values()].sort(compareSeries)) this.add(info);
  }

  /** Gives every chart its content. */
  update(content: (info: SeriesInfo) => ChartContent, enlarged: readonly string[]): void {
    for (const chart of this.charts.values()) {
      chart.setEnlarged(enlarged.includes(chart.key));
      chart.update(content(chart.info));
    }
  }

  /** Scrolls to a chart; false where there is none of that key. */
  reveal(key: string): boolean {
    const chart = this.charts.get(key);
    chart?.root.scrollIntoView({ block: 'center' });
    return chart !== undefined;
  }

  private add(info: SeriesInfo): void {
    if (this.charts.has(`${info.table}:${info.key}`)) return;
    const chart = new Chart(info, {
      ...this.events,
      cursor: (x) => {
        this.cursor = x;
        this.renderCursor();
      },
    });
    this.charts.set(chart.key, chart);
    const next = [...this.charts.values()]
      .filter((c) => c.info.group === info.group && compareSeries(c.info, info) > 0)
      .sort((a, b) => compareSeries(a.info, b.info))[0];
    this.grids.get(info.group)!.insertBefore(chart.root, next?.root ?? null);
    this.inSight.observe(chart.root);
    this.sizes.observe(chart.root);
  }

  private chartOf(target: Element): Chart | undefined {
    return this.charts.get((target as HTMLElement).dataset.series ?? '');
  }
}
