import '@vscode-elements/elements/dist/vscode-badge/index.js';
import type { SummaryFact } from '../../protocol/metrics/page.ts';
import { verdictOf } from '../../protocol/metrics/verdict.ts';
import { positions } from './axes.ts';
import { element, setText } from './dom.ts';
import { formatCount, formatDuration, formatNumber } from './format.ts';
import type { Run } from './store.ts';

/** The present speed is the mean over this many rows. */
const recent = 50;

/** The heading and its tiles: progress, time left, throughput, loss by phase, memory, and results of the whole run. */
export class Summary {
  readonly root: HTMLElement;
  private readonly title = element('h1');
  private readonly badge = document.createElement('vscode-badge');
  private readonly bar = element('progress', { max: 1, value: 0 });
  private readonly verdict = element('p', { className: 'verdict' });
  private readonly tiles = element('dl', { className: 'tiles' });
  private shown = '';

  constructor() {
    this.bar.setAttribute('aria-label', 'Progress');
    this.root = element(
      'header',
      { className: 'summary' },
      element('div', { className: 'title-row' }, this.title, this.badge),
      this.bar,
      this.verdict,
      this.tiles,
    );
  }

  show(title: string, facts: readonly SummaryFact[], run: Run | undefined, alone: boolean): void {
    setText(this.title, title || 'Metrics');
    this.badge.hidden = !run;
    this.badge.setAttribute('data-state', run?.state ?? '');
    if (run) setText(this.badge, alone ? run.state : `${run.name}: ${run.state}`);
    const verdict = run && verdictOf({ ...run, epochs: (key) => run.epochs.values(key) });
    this.verdict.hidden = !verdict || verdict.tone === 'unknown';
    this.verdict.dataset.tone = verdict?.tone ?? '';
    setText(this.verdict, verdict?.text ?? '');
    const tiles = [...(run ? runTiles(run) : []), ...facts];
    const share = run ? progressOf(run) : undefined;
    this.bar.classList.toggle('unknown', share === undefined);
    this.bar.value = share ?? 0;
    const key = JSON.stringify(tiles);
    if (key === this.shown) return;
    this.shown = key;
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

function progressOf(run: Run): number | undefined {
  const step = run.progress?.step ?? run.steps.values('step')?.at(-1);
  if (run.progress === undefined || step === undefined || run.progress.totalSteps <= 0) return undefined;
  return Math.min(1, step / run.progress.totalSteps);
}

function runTiles(run: Run): SummaryFact[] {
  const tiles: SummaryFact[] = [];
  const { progress } = run;
  const share = progressOf(run);
  if (progress && share !== undefined) {
    tiles.push({
      label: 'Progress',
      value: `${Math.floor(share * 100)} %`,
      note: `${formatCount(progress.step)} of ${formatCount(progress.totalSteps)} steps`,
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
      value: `≈ ${formatDuration(left)}`,
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
    tiles.push({ label: 'Waiting for data', value: `${(waiting * 100).toFixed(1)} %`, note: 'of the time' });
  const memory = peak(run.steps.extremes('rssMiB')?.high ?? run.steps.values('rssMiB'));
  if (memory !== undefined) tiles.push({ label: 'Peak memory', value: `${formatCount(memory)} MiB` });
  return tiles;
}

/** Mean of the last recorded values of a phase (2 or 3), or of a run without phases. */
function recentMean(run: Run, key: string, phase: number | undefined): number | undefined {
  const values = run.steps.values(key);
  const phases = phase === undefined ? undefined : run.steps.values('phase');
  if (!values) return undefined;
  let sum = 0;
  let count = 0;
  for (let i = values.length - 1; i >= 0 && count < recent; i--) {
    if (Number.isNaN(values[i]!) || (phases && phases[i] !== phase)) continue;
    sum += values[i]!;
    count++;
  }
  return count > 0 ? sum / count : undefined;
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
