import '@vscode-elements/elements/dist/vscode-badge/index.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { MetricsHost, RunAction, SummaryFact } from '../../protocol/metrics/page.ts';
import { verdictOf } from '../../protocol/metrics/verdict.ts';
import { percentsUnbroken } from '../../protocol/percentsUnbroken.ts';
import { element, setText } from '../shared/dom.ts';
import { positions } from './axes.ts';
import { formatCount, formatDuration, formatEstimate, formatNumber } from './format.ts';
import { recentMean } from './recent.ts';
import type { Run } from './store.ts';

/** Steps after a start or resume before its speed tells how long the rest takes. */
const stepsToEstimate = 20;

/** Characters of a note that a tile has room for. */
const longestNote = 40;

/** The heading and its tiles: progress, time left, throughput, loss by phase, memory, and results of the whole run. */
export class Summary {
  readonly root: HTMLElement;
  private readonly title = element('h1');
  private readonly badge = document.createElement('vscode-badge');
  private readonly bar = element('progress', { max: 1, value: 0 });
  private readonly verdict = element('p', { className: 'verdict' });
  private readonly subtitle = element('p', { className: 'subtitle note' });
  private readonly waitsFor = element('span');
  private readonly moveUp: HTMLElement;
  private readonly cancel: HTMLElement;
  private readonly waits: HTMLElement;
  /** The run on show. */
  private run: string | undefined;
  private readonly tiles = element('dl', { className: 'tiles' });
  /** Results that need a sentence, for which a tile is too narrow. */
  private readonly results = element('dl', { className: 'results' });
  private shown = '';

  /** @param host does what the buttons of a queued run say; undefined: there are none */
  constructor(private readonly host: MetricsHost | undefined) {
    this.moveUp = this.button('Move Up', 'moveUp');
    this.cancel = this.button('Remove from Queue', 'cancel');
    this.waits = element('p', { className: 'waits' }, this.waitsFor, this.moveUp, this.cancel);
    this.bar.setAttribute('aria-label', 'Progress');
    this.root = element(
      'header',
      { className: 'summary' },
      element('div', { className: 'title-row' }, this.title, this.badge, this.subtitle),
      this.waits,
      this.bar,
      this.verdict,
      this.tiles,
      this.results,
    );
  }

  private button(text: string, action: RunAction): HTMLElement {
    const made = document.createElement('vscode-button');
    made.secondary = true;
    made.textContent = text;
    made.addEventListener('click', () => this.run !== undefined && this.host?.act(this.run, action));
    return made;
  }

  /** @param run the only run; undefined: none or several, which the table of runs shows */
  show(title: string, facts: readonly SummaryFact[], run: Run | undefined): void {
    setText(this.title, title || 'Metrics');
    this.badge.hidden = !run;
    this.badge.setAttribute('data-state', run?.state ?? '');
    if (run) setText(this.badge, run.state);
    const [id, started] = ['Run', 'Started'].map((label) => run?.about?.find((fact) => fact.label === label)?.value);
    setText(this.subtitle, id ? [id, started].filter(Boolean).join(' · ') : '');
    this.waits.hidden = !run?.waits;
    setText(this.waitsFor, run?.waits ?? '');
    this.run = run?.id;
    const queued = run?.state === 'queued' && this.host !== undefined;
    this.moveUp.hidden = !queued || run.queue === undefined || run.queue < 2;
    this.cancel.hidden = !queued;
    this.bar.hidden = !run;
    const verdict = run && verdictOf({ ...run, epochs: (key) => run.epochs.values(key) });
    this.verdict.hidden = !verdict || verdict.tone === 'unknown';
    this.verdict.dataset.tone = verdict?.tone ?? '';
    setText(this.verdict, verdict?.text ?? '');
    const needsSentence = ({ note }: SummaryFact) => (note?.length ?? 0) > longestNote;
    const tiles = [...(run ? runTiles(run) : []), ...facts.filter((fact) => !needsSentence(fact))];
    const results = facts.filter(needsSentence).map(({ label, value, note = '' }) => ({
      label,
      value: percentsUnbroken(value),
      note: percentsUnbroken(note),
    }));
    this.tiles.hidden = tiles.length === 0;
    this.results.hidden = results.length === 0;
    const share = run ? progressOf(run) : undefined;
    this.bar.classList.toggle('unknown', share === undefined);
    this.bar.value = share ?? 0;
    const key = JSON.stringify([tiles, results]);
    if (key === this.shown) return;
    this.shown = key;
    this.tiles.style.setProperty('--um-tiles', String(tiles.length));
    this.tiles.style.setProperty('--um-half', String(Math.ceil(tiles.length / 2)));
    this.results.replaceChildren(
      ...results.map(({ label, value, note }) =>
        element(
          'div',
          {},
          element('dt', {}, label),
          element('dd', {}, element('strong', {}, value), ' ', element('span', { className: 'note' }, note)),
        ),
      ),
    );
    this.tiles.replaceChildren(
      ...tiles.map((tile) =>
        element(
          'div',
          { className: 'tile' },
          element('dt', {}, tile.label),
          element('dd', {}, element('strong', {}, tile.value), element('span', { className: 'note' }, tile.note ?? '')),
        ),
      ),
    );
  }
}

/** Share of the run that is done, by steps or, while no process trains it, by epochs. */
function progressOf(run: Run): number | undefined {
  const { progress } = run;
  if (!progress) return undefined;
  const { step, totalSteps, epoch, totalEpochs } = progress;
  if (totalSteps !== undefined) return totalSteps > 0 ? Math.min(1, step / totalSteps) : undefined;
  if (run.state === 'finished') return 1;
  if (epoch === undefined || !totalEpochs) return undefined;
  return Math.min(1, epochsDone(run, epoch) / totalEpochs);
}

/** The epoch at hand counts once its record is there. */
function epochsDone(run: Run, epoch: number): number {
  return run.epochs.values('epoch')?.at(-1) === epoch ? epoch + 1 : epoch;
}

function runTiles(run: Run): SummaryFact[] {
  const tiles: SummaryFact[] = [];
  const { progress } = run;
  const share = progressOf(run);
  if (progress && share !== undefined) {
    const { step, totalSteps } = progress;
    tiles.push({
      label: 'Progress',
      value: `${Math.floor(share * 100)} %`,
      note:
        totalSteps === undefined
          ? `${formatCount(step)} steps`
          : `${formatCount(step)} of ${formatCount(totalSteps)} steps`,
    });
    if (progress.totalEpochs !== undefined && progress.epoch !== undefined)
      tiles.push({
        label: 'Epoch',
        value: formatCount(progress.epoch + 1),
        note: `of ${formatCount(progress.totalEpochs)}`,
      });
  }
  if (run.steps.length === 0) return tiles;
  const seconds = positions(run, 'steps', 'time').at(-1)!;
  if (run.state === 'running' && share !== undefined && share < 1) {
    const left = progress?.secondsLeft ?? (share > 0 ? (seconds * (1 - share)) / share : Number.NaN);
    tiles.push({
      label: 'Time left',
      value: stepsSinceStart(run) < stepsToEstimate ? 'estimating…' : formatEstimate(left),
      note: `${formatDuration(seconds)} so far`,
    });
  } else tiles.push({ label: 'Training time', value: formatDuration(seconds) });
  for (const phase of run.steps.values('phase') ? ([2, 3] as const) : [undefined]) {
    const loss = recentMean(run, 'loss', phase);
    if (loss === undefined) continue;
    const speed = recentMean(run, 'imagesPerSecond', phase);
    tiles.push({
      label: phase === undefined ? 'Loss' : `${phase}D loss`,
      value: formatNumber(loss),
      note: speed === undefined ? undefined : `${formatNumber(speed, 3)} ${phase === 3 ? 'volumes' : 'images'}/s`,
    });
  }
  const waiting = waitingShare(run);
  if (waiting !== undefined)
    tiles.push({ label: 'Data loading', value: `${(waiting * 100).toFixed(1)} %`, note: 'of step time' });
  const memory = peak(run.steps.extremes('rssMiB')?.high ?? run.steps.values('rssMiB'));
  if (memory !== undefined) tiles.push({ label: 'Peak memory', value: `${formatCount(memory)} MiB` });
  return tiles;
}

/** Steps since the trainer last started; all of them if the records do not say. */
function stepsSinceStart(run: Run): number {
  const done = run.progress?.step ?? 0;
  const start = run.events.findLast(({ event }) => event === 'start' || event === 'resume');
  return done - (start?.step ?? 0);
}

function waitingShare(run: Run): number | undefined {
  const wait = run.steps.values('waitMs');
  const step = run.steps.values('stepMs');
  if (!wait || !step) return undefined;
  let waited = 0;
  let total = 0;
  for (let i = 0; i < wait.length; i++) {
    if (Number.isNaN(wait[i]!) || Number.isNaN(step[i]!)) continue;
    waited += wait[i]!;
    total += wait[i]! + step[i]!;
  }
  return total > 0 ? waited / total : undefined;
}

function peak(values: Float64Array | undefined): number | undefined {
  const high = values?.reduce((a, v) => (v > a ? v : a), Number.NEGATIVE_INFINITY);
  return high !== undefined && Number.isFinite(high) ? high : undefined;
}
