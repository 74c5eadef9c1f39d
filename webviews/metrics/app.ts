import type { MetricsSource } from '../../protocol/metrics.ts';
import { phaseSpans, positionOfStep, positions, type XAxis } from './axes.ts';
import { compareSeries, groups, isSmoothed, type SeriesInfo, seriesInfo } from './catalog.ts';
import { Chart, type Marker } from './chart.ts';
import { element, oncePerFrame, setText } from './dom.ts';
import type { Curve } from './draw.ts';
import { EventList } from './event-list.ts';
import { Previews } from './previews.ts';
import { RunList } from './run-list.ts';
import { Section } from './section.ts';
import { smooth } from './smoothing.ts';
import { type MetricsState, readState, type StateStore } from './state.ts';
import { MetricsStore, type Run } from './store.ts';
import { Summary } from './summary.ts';
import { nearestRow } from './table.ts';
import { followTheme, readTheme, runColors, type Theme } from './theme.ts';
import { Toolbar } from './toolbar.ts';
import { Warnings } from './warnings.ts';

const positionKeys = new Set(['step', 'epoch', 'time', 'phase']);

/** The whole component: it takes messages, keeps the state of its controls, and shows both. */
export class MetricsApp {
  private readonly store = new MetricsStore();
  private state: MetricsState;
  private theme: Theme | undefined;
  private readonly charts = new Map<string, Chart>();
  private readonly sections = new Map<string, Section>();
  /** Places in the palette; a run keeps its own while it exists. */
  private readonly colorOf = new Map<string, number>();
  private readonly summary = new Summary();
  private readonly toolbar = new Toolbar((part) => this.change(part));
  private readonly runList = new RunList((id, shown) => this.toggleRun(id, shown));
  private readonly warnings = new Warnings((run, step) => this.reveal(run, step));
  private readonly previews = new Previews((previewStep) => this.change({ previewStep }));
  private readonly eventList = new EventList();
  private readonly problem = element('p', { className: 'problem', attributes: { role: 'alert' }, hidden: true });
  private readonly empty = element('p', { className: 'empty', hidden: true });
  private readonly inSight: IntersectionObserver;
  private readonly sizes: ResizeObserver;
  private readonly render = oncePerFrame(() => this.renderNow());
  private cursor: number | null = null;
  private readonly renderCursor = oncePerFrame(() => {
    for (const chart of this.charts.values()) chart.setCursor(this.cursor);
  });

  constructor(
    private readonly root: HTMLElement,
    private readonly source: MetricsSource,
    private readonly kept: StateStore,
    standalone: boolean,
  ) {
    this.state = readState(kept.load());
    this.inSight = new IntersectionObserver(
      (entries) => {
        for (const e of entries) this.chartAt(e.target)?.setVisible(e.isIntersecting);
      },
      { rootMargin: '200px' },
    );
    this.sizes = new ResizeObserver((entries) => {
      for (const e of entries) this.chartAt(e.target)?.resize();
    });
    for (const { id, title } of groups)
      this.sections.set(id, this.section(id, title, element('div', { className: 'grid' })));
    this.sections.set('previews', this.section('previews', 'What the network sees', this.previews.root));
    this.sections.set('events', this.section('events', 'Events', this.eventList.root));
    const section = (id: string) => this.sections.get(id)!.root;
    root.append(
      this.problem,
      this.summary.root,
      this.warnings.root,
      this.runList.root,
      this.toolbar.root,
      this.empty,
      section('loss'),
      section('previews'),
      ...groups.slice(1).map((g) => section(g.id)),
      section('events'),
    );
    followTheme(standalone, () => {
      this.theme = undefined;
      this.render();
    });
    this.source.open((message) => this.receive(message));
  }

  private receive(message: unknown): void {
    const applied = this.store.apply(message);
    if (applied === 'gap') this.source.resend(this.store.sequence ?? -1);
    if (applied === 'refused') {
      this.problem.hidden = false;
      setText(
        this.problem,
        `The data cannot be shown. ${this.store.refusal}. Write it again with the same version of UniMiSS.`,
      );
    }
    if (applied === 'changed') {
      this.problem.hidden = true;
      this.render();
    }
  }

  private change(part: Partial<MetricsState>): void {
    if (part.xAxis && part.xAxis !== this.state.xAxis) part.view = this.convertView(part.xAxis);
    this.state = { ...this.state, ...part };
    this.kept.save(this.state);
    this.render();
  }

  private toggleRun(id: string, shown: boolean): void {
    const others = this.state.hiddenRuns.filter((other) => other !== id);
    this.change({ hiddenRuns: shown ? others : [...others, id] });
  }

  private visibleRuns(): Run[] {
    return [...this.store.runs.values()].filter((run) => !this.state.hiddenRuns.includes(run.id));
  }

  /** The run that phases, tiles and previews are of: the first visible one. */
  private primary(): Run | undefined {
    return this.visibleRuns()[0];
  }

  private renderNow(): void {
    this.theme ??= readTheme();
    const runs = this.visibleRuns();
    const all = [...this.store.runs.values()];
    for (const run of all) {
      if (this.colorOf.has(run.id)) continue;
      const taken = new Set([...this.colorOf].filter(([id]) => this.store.runs.has(id)).map(([, place]) => place));
      const free = Array.from({ length: runColors }, (_, i) => i).find((i) => !taken.has(i));
      this.colorOf.set(run.id, free ?? this.colorOf.size % runColors);
    }
    this.summary.show(this.store.title, this.store.summary, this.primary(), all.length === 1);
    this.runList.show(all, this.state.hiddenRuns, (id) => this.color(id));
    this.runList.root.hidden = all.length < 2;
    this.toolbar.show(this.state);
    this.warnings.show(runs);
    this.previews.show(this.primary(), this.state.previewStep);
    this.eventList.show(runs);
    this.renderCharts(runs);
    const recorded = runs.some((run) => run.steps.length > 0);
    this.empty.hidden = recorded;
    setText(
      this.empty,
      all.length === 0
        ? 'No run is here yet.'
        : runs.length === 0
          ? 'Every run is switched off: tick one above.'
          : 'Nothing is recorded yet: the first step is being prepared.',
    );
  }

  private renderCharts(runs: readonly Run[]): void {
    const wanted = new Map<string, SeriesInfo>();
    // Of all runs, also hidden ones: charts stay where they are when a run is switched off.
    for (const run of this.store.runs.values()) {
      for (const table of ['steps', 'epochs'] as const)
        for (const key of run[table].keys) {
          if (positionKeys.has(key)) continue;
          const info = seriesInfo(table, key);
          wanted.set(`${table}:${key}`, info);
        }
    }
    for (const [key, chart] of this.charts) {
      if (wanted.has(key)) continue;
      chart.destroy();
      this.charts.delete(key);
    }
    for (const info of [...wanted.values()].sort(compareSeries)) this.chart(info);
    for (const group of groups) {
      const section = this.sections.get(group.id)!;
      section.root.hidden = section.content.childElementCount === 0;
    }
    this.updateCharts(runs);
  }

  private updateCharts(runs: readonly Run[]): void {
    const { xAxis, smoothing, logScale } = this.state;
    const x = new Map(
      runs.map((run) => [run.id, { steps: positions(run, 'steps', xAxis), epochs: positions(run, 'epochs', xAxis) }]),
    );
    const primary = this.primary();
    const shared = {
      axis: xAxis,
      log: logScale,
      theme: this.theme!,
      phases: primary ? phaseSpans(primary, x.get(primary.id)!.steps) : [],
      range: this.state.view ?? this.fullRange([...x.values()].map((p) => p.steps)),
    };
    const markers: Marker[] = runs.flatMap((run) =>
      run.events
        .filter((e) => e.kind !== 'info')
        .map((e) => ({
          x: positionOfStep(run, e.step, x.get(run.id)!.steps),
          text: e.message,
          severe: e.kind === 'error',
        })),
    );
    for (const chart of this.charts.values()) {
      const { table, key } = chart.info;
      const curves = runs.flatMap((run): Curve[] => {
        const raw = run[table].values(key);
        if (!raw) return [];
        const phase = table === 'steps' ? run.steps.values('phase') : undefined;
        return [
          {
            runId: run.id,
            runName: run.name,
            color: this.color(run.id),
            x: x.get(run.id)![table],
            raw,
            line: isSmoothed(chart.info) ? smooth(raw, phase, smoothing) : raw,
            extremes: run[table].extremes(key),
            phase,
          },
        ];
      });
      chart.setEnlarged(this.state.enlarged.includes(chart.key));
      chart.update({ ...shared, curves, markers: chart.info.group === 'collapse' || key === 'loss' ? markers : [] });
    }
  }

  /** The range from the first to the last step of any visible run. */
  private fullRange(
    rows = this.visibleRuns().map((run) => positions(run, 'steps', this.state.xAxis)),
  ): [number, number] {
    const recorded = rows.filter((r) => r.length > 0);
    const from = Math.min(...recorded.map((r) => r[0]!));
    const to = Math.max(...recorded.map((r) => r.at(-1)!));
    return from < to ? [from, to] : [0, 1];
  }

  /** Shows a range, kept inside of what there is; everything where it is null or too wide. */
  private zoom(range: [number, number] | null): void {
    const [first, last] = this.fullRange();
    const width = last - first;
    const span = range === null ? width : Math.max(range[1] - range[0], width * 1e-5);
    if (range === null || span >= width) {
      this.change({ view: null });
      return;
    }
    const from = Math.min(Math.max(first, range[0]), last - span);
    this.change({ view: [from, from + span] });
  }

  /** The same rows of the first run along another axis. */
  private convertView(axis: XAxis): [number, number] | null {
    const run = this.primary();
    if (!this.state.view || !run || run.steps.length < 2) return null;
    const before = positions(run, 'steps', this.state.xAxis);
    const after = positions(run, 'steps', axis);
    const [from, to] = this.state.view.map((v) => after[nearestRow(before, v)]!) as [number, number];
    return from < to ? [from, to] : null;
  }

  /** Zooms to a tenth of everything around a step. */
  private reveal(run: Run, step: number): void {
    const at = positionOfStep(run, step, positions(run, 'steps', this.state.xAxis));
    const full = this.fullRange();
    const half = (full[1] - full[0]) / 10;
    this.zoom([at - half, at + half]);
    const chart = this.charts.get('epochs:teacherEntropy') ?? this.charts.get('steps:loss');
    chart?.root.scrollIntoView({ block: 'center' });
  }

  private chart(info: SeriesInfo): void {
    const key = `${info.table}:${info.key}`;
    if (this.charts.has(key)) return;
    const chart = new Chart(info, {
      cursor: (x) => {
        this.cursor = x;
        this.renderCursor();
      },
      zoom: (range) => this.zoom(range),
      enlarge: (k) => {
        const others = this.state.enlarged.filter((other) => other !== k);
        this.change({ enlarged: others.length < this.state.enlarged.length ? others : [...others, k] });
      },
    });
    this.charts.set(key, chart);
    const grid = this.sections.get(info.group)!.content;
    const next = [...this.charts.values()]
      .filter((c) => c !== chart && c.info.group === info.group && compareSeries(c.info, info) > 0)
      .sort((a, b) => compareSeries(a.info, b.info))[0];
    grid.insertBefore(chart.root, next?.root ?? null);
    this.inSight.observe(chart.root);
    this.sizes.observe(chart.root);
  }

  private chartAt(target: Element): Chart | undefined {
    return this.charts.get((target as HTMLElement).dataset.series ?? '');
  }

  private section(id: string, title: string, content: HTMLElement): Section {
    return new Section(title, content, !this.state.closedSections.includes(id), (open) => {
      const others = this.state.closedSections.filter((other) => other !== id);
      this.change({ closedSections: open ? others : [...others, id] });
    });
  }

  private color(id: string): string {
    return this.theme!.runs[this.colorOf.get(id) ?? 0] ?? '';
  }
}
