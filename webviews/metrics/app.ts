import type { MetricsSource } from '../../protocol/metrics/page.ts';
import type { Modality } from '../../protocol/modality.ts';
import { element, oncePerFrame, setText } from '../shared/dom.ts';
import { About, Configuration } from './about.ts';
import { phaseSpans, positionOfStep, positions, type XAxis } from './axes.ts';
import { dimensionsOf, isSmoothed, limitsOf, modalitiesOf, panels, type SeriesInfo } from './catalog.ts';
import { ChartGrid } from './chartGrid.ts';
import { type Curve, pick, recordedRows } from './curve.ts';
import { EventList } from './eventList.ts';
import { Previews } from './previews.ts';
import { printWhole } from './printing.ts';
import { type RunLook, RunTable } from './runTable.ts';
import { Section } from './section.ts';
import { smooth } from './smoothing.ts';
import { type MetricsState, readState, type StateStore } from './state.ts';
import { MetricsStore, type Run } from './store.ts';
import { Summary } from './summary.ts';
import { runDashes } from './swatch.ts';
import { nearestRow } from './table.ts';
import { followTheme, readTheme, runColors, type Theme } from './theme.ts';
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
  /** Places in the palette; a run keeps its own while it exists. */
  private readonly colorOf = new Map<string, number>();
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
    for (const run of all) {
      if (this.colorOf.has(run.id)) continue;
      const taken = new Set([...this.colorOf].filter(([id]) => this.store.runs.has(id)).map(([, place]) => place));
      const free = Array.from({ length: runColors }, (_, i) => i).find((i) => !taken.has(i));
      this.colorOf.set(run.id, free ?? this.colorOf.size % runColors);
    }
    this.summary.show(
      this.comparing ? `${all.length} runs` : this.store.title,
      this.store.summary,
      this.comparing ? undefined : all[0],
    );
    this.runTable.show(all, this.state.hiddenRuns, (id) => this.look(id));
    this.toolbar.show(
      this.state,
      (!this.comparing || this.emphasised !== null) && this.primary()?.steps.values('phase') !== undefined,
      this.comparing ? runs.map(({ id, name }) => ({ ...this.look(id), name })) : [],
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
      range: this.state.view ?? this.fullRange([...x.values()].map((p) => p.steps)),
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
          ...(this.comparing && { color: this.look(run.id).color }),
        })),
    );
    this.charts.update((info) => {
      const curves = runs.flatMap((run) => this.curves(run, info, x.get(run.id)![info.table], smoothing));
      const limits = limitsOf(
        info,
        runs.filter(({ id }) => curves.some(({ runId }) => runId === id)),
      );
      const isMarked =
        info.panel === 'collapse' || info.key === 'loss' || (info.panel === 'overview' && info.of === 'epoch');
      return { ...shared, curves, limits, markers: isMarked ? markers : [] };
    }, this.state.enlarged);
  }

  /** The curves of a run in a chart: one, one for each modality, or one for each member of a family. */
  private curves(run: Run, { members, ...info }: SeriesInfo, x: Float64Array, smoothing: number): Curve[] {
    if (members)
      return members.flatMap(({ key, name }, place) =>
        this.curves(run, { ...info, key }, x, smoothing).map((curve) => ({
          ...curve,
          label: name,
          ...this.memberLook(place, curve.dash),
          // Shades of many curves would hide each other; the chart of each member has its own.
          extremes: undefined,
          thin: members.length > 8,
        })),
      );
    const table = run[info.table];
    const values = table.values(info.key);
    if (!values) return [];
    const trainedOn = info.byModality ? modalitiesOf(run) : [];
    if (info.modality === undefined && trainedOn.length > 0 && info.panel !== 'overview') return [];
    const wanted = info.modality === 'each' ? trainedOn : trainedOn.filter((modality) => modality === info.modality);
    const groups = trainedOn.length === 0 && (!info.modality || info.modality === 'each') ? [undefined] : wanted;
    return groups.flatMap((modality): Curve[] => {
      const dimensions = modality && dimensionsOf(modality);
      const rows = recordedRows(values, table.values('phase'), dimensions);
      if (rows.index.length === 0) return [];
      const terms = info.modality === 'each' && modality ? (info.terms?.[modality] ?? 1) : 1;
      const shown = (column: Float64Array) => {
        const picked = pick(column, rows);
        return terms === 1 ? picked : picked.map((value) => value / terms);
      };
      const raw = shown(values);
      const extremes = table.extremes(info.key);
      return [
        {
          ...{
            runId: run.id,
            runName: run.name,
            modality,
            ...this.look(run.id, info.modality === 'each' ? modality : undefined),
          },
          faded: this.emphasised !== null && this.emphasised !== run.id,
          ...{ x: pick(x, rows), raw, line: isSmoothed(info) ? smooth(raw, smoothing) : raw },
          extremes: extremes && { low: shown(extremes.low), high: shown(extremes.high) },
          segment: info.table === 'steps' ? rows.segment : undefined,
        },
      ];
    });
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

  /** Shows a range, limited to the data; everything if it is null or too wide. */
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
    if (!this.charts.reveal('collapse')) this.charts.reveal('loss');
  }

  private section(id: string, title: string, content: HTMLElement): Section {
    return new Section(title, content, !this.state.closedSections.includes(id), (open) => {
      const others = this.state.closedSections.filter((other) => other !== id);
      this.change({ closedSections: open ? others : [...others, id] });
    });
  }

  /** How a member of a family is drawn: by its place among them; in a comparison, dashes are those of runs. */
  private memberLook(place: number, ofRun: readonly number[] | undefined): RunLook {
    const color = this.theme?.runs[place % runColors] ?? '';
    return { color, dash: this.comparing ? ofRun : runDashes[Math.floor(place / runColors) % runDashes.length] };
  }

  /** How a run is drawn; 3D beside 2D in one chart is dashed, and thin where dashes are those of runs. */
  private look(id: string, modality?: Modality): RunLook & { thin: boolean } {
    const place = this.colorOf.get(id) ?? 0;
    const color = this.theme?.runs[place] ?? '';
    if (!this.comparing) return { color, dash: modality === '3D' ? [5, 3] : undefined, thin: false };
    return { color, dash: runDashes[place], thin: modality === '3D' };
  }
}

/** A list with a key added, or removed if it was there. */
function toggled(list: readonly string[], key: string): string[] {
  return list.includes(key) ? list.filter((other) => other !== key) : [...list, key];
}
