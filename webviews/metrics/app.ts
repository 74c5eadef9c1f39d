import type { MetricsSource } from '../../protocol/metrics/page.ts';
import { element, oncePerFrame, setText } from '../shared/dom.ts';
import { About, Configuration } from './about.ts';
import { phaseSpans, positionOfStep, positions, type XAxis } from './axes.ts';
import { limitsOf, panels } from './catalog.ts';
import { ChartGrid } from './chartGrid.ts';
import { EventList } from './eventList.ts';
import { Previews } from './previews.ts';
import { printWhole } from './printing.ts';
import { curvesOf } from './runCurves.ts';
import { RunLooks } from './runLooks.ts';
import { RunTable } from './runTable.ts';
import { Section } from './section.ts';
import { converted, fullRange, limited, type ShownRange } from './shownRange.ts';
import { type MetricsState, readState, type StateStore } from './state.ts';
import { MetricsStore, type Run } from './store.ts';
import { Summary } from './summary.ts';
import { followTheme, readTheme, type Theme } from './theme.ts';
import { Toolbar } from './toolbar.ts';
import { Warnings } from './warnings.ts';

/** The whole component: it receives messages, keeps the state of its controls, and shows both. */
export class MetricsApp {
  private readonly store = new MetricsStore();
  private state: MetricsState;
  private theme: Theme | undefined;
  private readonly charts = new ChartGrid({
    zoom: (range) => this.zoom(range),
    enlarge: (key) => this.change({ enlarged: toggled(this.state.enlarged, key) }),
  });
  private readonly sections = new Map<string, Section>();
  private readonly looks = new RunLooks();
  private readonly summary: Summary;
  private readonly toolbar = new Toolbar((part) => this.change(part));
  private readonly runTable = new RunTable({
    toggle: (id, shown) => this.toggleRun(id, shown),
    emphasise: (id) => this.emphasise(id),
  });
  /** The run of the table that the pointer or the focus is on. */
  private pointedAt: string | null = null;
  private readonly warnings: Warnings;
  private readonly previews: Previews;
  private readonly eventList = new EventList((events) => this.change({ events }));
  private readonly about = new About();
  private readonly configuration = new Configuration();
  private readonly problem = element('p', { className: 'problem', attributes: { role: 'alert' }, hidden: true });
  private readonly empty = element('p', { className: 'empty', hidden: true });
  private readonly render = oncePerFrame(() => this.renderNow());

  constructor(
    private readonly root: HTMLElement,
    private readonly source: MetricsSource,
    private readonly kept: StateStore,
    standalone: boolean,
  ) {
    this.state = readState(kept.load());
    this.summary = new Summary(source.host);
    this.previews = new Previews((previewStep) => this.change({ previewStep }), source.host);
    this.warnings = new Warnings({
      reveal: (run, step) => this.reveal(run, step),
      dismiss: (keys) => this.change({ dismissed: keys === null ? [] : [...this.state.dismissed, ...keys] }),
      host: source.host,
    });
    for (const { id, title } of panels) this.sections.set(id, this.section(id, title, this.charts.grids.get(id)!));
    this.sections.set('previews', this.section('previews', 'Training views (previews)', this.previews.root));
    this.sections.set('about', this.section('about', 'About this report', this.about.root));
    this.sections.set('configuration', this.section('configuration', 'Configuration', this.configuration.root));
    this.sections.set('events', this.section('events', 'Events', this.eventList.root));
    const section = (id: string) => this.sections.get(id)!.root;
    root.append(
      this.problem,
      this.charts.status,
      this.summary.root,
      this.runTable.root,
      this.warnings.root,
      this.toolbar.root,
      this.empty,
      section('overview'),
      section('loss'),
      section('previews'),
      ...panels.slice(2).map((panel) => section(panel.id)),
      section('events'),
      section('about'),
      section('configuration'),
    );
    followTheme(standalone, () => {
      this.theme = undefined;
      this.render();
    });
    printWhole(root, {
      drawAll: (onPaper) => {
        const about = section('about');
        if (onPaper) this.runTable.root.before(about);
        else section('configuration').before(about);
        this.theme = undefined;
        this.renderNow();
        this.charts.drawAll();
      },
    });
    this.render();
    this.source.open((message) => this.receive(message));
  }

  private receive(message: unknown): void {
    const applied = this.store.apply(message);
    if (applied === 'gap') this.source.resend(this.store.sequence ?? -1);
    if (applied === 'refused') {
      this.problem.hidden = false;
      setText(
        this.problem,
        `Cannot show the data: ${this.store.refusal}. Export it again with the same version of UniMiSS.`,
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

  /** The run whose phases and previews are shown: the emphasised one, else the first visible one. */
  private primary(): Run | undefined {
    const runs = this.visibleRuns();
    return runs.find(({ id }) => id === this.emphasised) ?? runs[0];
  }

  private emphasise(id: string | null): void {
    if (id === this.pointedAt) return;
    this.pointedAt = id;
    this.render();
  }

  /** The run that stands out from the others; a hidden one does not. */
  private get emphasised(): string | null {
    return this.pointedAt !== null && this.state.hiddenRuns.includes(this.pointedAt) ? null : this.pointedAt;
  }

  /** Several runs are compared: the table has a row for each, and runs differ by colour and dash. */
  private get comparing(): boolean {
    return this.store.runs.size > 1;
  }

  private renderNow(): void {
    this.theme ??= readTheme();
    const runs = this.visibleRuns();
    const all = [...this.store.runs.values()];
    Object.assign(this.looks, { theme: this.theme, comparing: this.comparing });
    this.looks.place(all.map(({ id }) => id));
    this.summary.show(
      this.comparing ? `${all.length} runs` : this.store.title,
      this.store.summary,
      this.comparing ? undefined : all[0],
    );
    this.runTable.show(all, this.state.hiddenRuns, (id) => this.looks.of(id));
    this.toolbar.show(
      this.state,
      (!this.comparing || this.emphasised !== null) && this.primary()?.steps.values('phase') !== undefined,
      this.comparing ? runs.map(({ id, name }) => ({ ...this.looks.of(id), name })) : [],
    );
    this.warnings.show(runs, this.state.dismissed);
    this.previews.show(this.comparing ? runs[0] : this.primary(), this.state.previewStep);
    this.eventList.show(runs, this.state.events);
    this.about.show(all);
    this.configuration.show(all);
    for (const id of ['about', 'configuration']) this.sections.get(id)!.root.hidden = !all.some(({ about }) => about);
    this.charts.arrange(all);
    for (const { id } of panels)
      this.sections.get(id)!.root.hidden = this.charts.grids.get(id)!.childElementCount === 0;
    this.renderCharts(runs);
    const recorded = runs.some((run) => run.steps.length > 0);
    // The header of a single run says what it waits for.
    const told = all.length === 1 && all[0]?.waits !== undefined;
    this.empty.hidden = recorded || told;
    setText(
      this.empty,
      told
        ? ''
        : this.store.sequence === undefined
          ? 'Waiting for data.'
          : all.length === 0
            ? 'No runs yet.'
            : runs.length === 0
              ? 'All runs are hidden. Select one above.'
              : (runs[0]?.waits ?? 'No records yet. The run is preparing its first step.'),
    );
  }

  private renderCharts(runs: readonly Run[]): void {
    const { xAxis, smoothing, logScale } = this.state;
    const x = new Map(
      runs.map((run) => [run.id, { steps: positions(run, 'steps', xAxis), epochs: positions(run, 'epochs', xAxis) }]),
    );
    const primary = this.primary();
    const shared = {
      axis: xAxis,
      log: logScale,
      theme: this.theme!,
      phases: primary && (!this.comparing || this.emphasised) ? phaseSpans(primary, x.get(primary.id)!.steps) : [],
      range: this.state.view ?? fullRange([...x.values()].map((p) => p.steps)),
    };
    const marked = this.comparing ? runs.filter(({ id }) => id === this.emphasised) : runs;
    const markers = marked.flatMap((run) =>
      run.events
        // A file that cannot be read has no place in the curves.
        .filter((e) => e.kind !== 'info' && e.event !== 'broken')
        .map((e) => ({
          x: positionOfStep(run, e.step, x.get(run.id)!.steps),
          text: e.message,
          severe: e.kind === 'error',
          ...(this.comparing && { color: this.looks.of(run.id).color }),
        })),
    );
    this.charts.update((info) => {
      const curves = runs.flatMap((run) => {
        const faded = this.emphasised !== null && this.emphasised !== run.id;
        return curvesOf(run, info, { x: x.get(run.id)![info.table], smoothing, looks: this.looks, faded });
      });
      const limits = limitsOf(
        info,
        runs.filter(({ id }) => curves.some(({ runId }) => runId === id)),
      );
      const isMarked =
        info.panel === 'collapse' || info.key === 'loss' || (info.panel === 'overview' && info.of === 'epoch');
      return { ...shared, curves, limits, markers: isMarked ? markers : [] };
    }, this.state.enlarged);
  }

  /** The range from the first to the last step of any visible run. */
  private fullRange(): ShownRange {
    return fullRange(this.visibleRuns().map((run) => positions(run, 'steps', this.state.xAxis)));
  }

  /** Shows a range, limited to the data; everything if it is null or too wide. */
  private zoom(range: ShownRange | null): void {
    this.change({ view: limited(range, this.fullRange()) });
  }

  /** The same rows of the first run along another axis. */
  private convertView(axis: XAxis): ShownRange | null {
    const run = this.primary();
    if (!this.state.view || !run || run.steps.length < 2) return null;
    return converted(this.state.view, positions(run, 'steps', this.state.xAxis), positions(run, 'steps', axis));
  }

  /** Zooms to a tenth of everything around a step. */
  private reveal(run: Run, step: number): void {
    const at = positionOfStep(run, step, positions(run, 'steps', this.state.xAxis));
    const full = this.fullRange();
    const half = (full[1] - full[0]) / 10;
    this.zoom([at - half, at + half]);
    if (!this.charts.reveal('collapse')) this.charts.reveal('loss');
  }

  private section(id: string, title: string, content: HTMLElement): Section {
    return new Section(title, content, !this.state.closedSections.includes(id), (open) => {
      const others = this.state.closedSections.filter((other) => other !== id);
      this.change({ closedSections: open ? others : [...others, id] });
    });
  }
}

/** A list with a key added, or removed if it was there. */
function toggled(list: readonly string[], key: string): string[] {
  return list.includes(key) ? list.filter((other) => other !== key) : [...list, key];
}
