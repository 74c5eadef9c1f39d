import { type Modality, modalities } from '../modality.ts';
import type { Column, MetricsEvent, ShownSeries } from './page.ts';

/** What a verdict on a run is drawn from. */
export interface Judged {
  readonly series: readonly ShownSeries[];
  /** A column of its epochs; undefined if nothing was recorded under the key. */
  epochs(key: string): Column | undefined;
  readonly events: readonly Pick<MetricsEvent, 'event' | 'epoch'>[];
}

/** A verdict in a sentence or two. `tone`: a warning if the newest epoch of a modality has signs of a problem. */
export interface Verdict {
  readonly tone: 'good' | 'warning' | 'unknown';
  readonly text: string;
}

/** The best value of a series in the epochs of a modality (`undefined`: of the run). */
export interface Best {
  readonly value: number;
  /** From 0. */
  readonly epoch: number;
  readonly modality: Modality | undefined;
}

/** Answers in words whether a run learns and whether it collapses. */
export function verdictOf(run: Judged): Verdict {
  const epochs = numbers(run.epochs('epoch'));
  const collapse = run.series.some(({ panel }) => panel === 'collapse') ? collapseText(run, epochs) : undefined;
  const judged = run.series.find(({ key, of, judged }) => judged && of === 'epoch' && run.epochs(key) !== undefined);
  const best = judged ? bestText(judged, bestOf(run, judged)) : '';
  const text = [collapse?.text ?? '', best].filter(Boolean).join(' ');
  if (text === '')
    return {
      tone: 'unknown',
      text: epochs.length === 0 ? 'No epoch has ended yet.' : `Epochs with results: ${epochs.length}.`,
    };
  return { tone: collapse?.tone ?? 'good', text };
}

/** The best value of a series for each modality that has one. Empty without a direction. */
export function bestOf(run: Pick<Judged, 'epochs'>, { key, better }: ShownSeries): Best[] {
  const values = numbers(run.epochs(key));
  const epochs = numbers(run.epochs('epoch'));
  const phase = numbers(run.epochs('phase'));
  if (better === undefined) return [];
  const best = new Map<Modality | undefined, Best>();
  for (const [row, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    const modality = modalityOf(phase[row]);
    const known = best.get(modality);
    if (known && !(better === 'lower' ? value < known.value : value > known.value)) continue;
    best.set(modality, { value, epoch: epochs[row] ?? row, modality });
  }
  return [undefined, ...modalities].flatMap((modality) => best.get(modality) ?? []);
}

function collapseText({ epochs: column, events }: Judged, epochs: readonly number[]): Verdict | undefined {
  if (epochs.length === 0) return undefined;
  const phase = numbers(column('phase'));
  const signs = new Set(events.flatMap(({ event, epoch }) => (event === 'sign' && epoch !== undefined ? [epoch] : [])));
  const groups = new Set(epochs.map((_, row) => modalityOf(phase[row])));
  const collapsing: string[] = [];
  for (const modality of [undefined, ...modalities].filter((one) => groups.has(one))) {
    const own = epochs.filter((_, row) => modalityOf(phase[row]) === modality);
    const since = own.findLastIndex((epoch) => !signs.has(epoch)) + 1;
    const first = own[since];
    if (first !== undefined) collapsing.push(`${modality ? `in ${modality} ` : ''}since epoch ${first + 1}`);
  }
  if (collapsing.length > 0) return { tone: 'warning', text: `Warning signs ${collapsing.join(' and ')}.` };
  const last = Math.max(...signs);
  if (signs.size > 0) return { tone: 'good', text: `No sign of collapse since epoch ${last + 1}.` };
  return {
    tone: 'good',
    text: epochs.length === 1 ? 'No sign of collapse in one epoch.' : `No sign of collapse in ${epochs.length} epochs.`,
  };
}

function bestText({ title }: ShownSeries, best: readonly Best[]): string {
  if (best.length === 0) return '';
  const values = best.map(
    ({ value, epoch, modality }) =>
      `${Number(value.toPrecision(4))}${modality ? ` in ${modality}` : ''} (epoch ${epoch + 1})`,
  );
  return `Best ${lowered(title)}: ${values.join(', ')}.`;
}

/** `Mean loss` → `mean loss`; `AUC` stays. */
function lowered(title: string): string {
  return /^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title;
}

function modalityOf(phase: number | undefined): Modality | undefined {
  return phase === 3 ? '3D' : phase === 2 ? '2D' : undefined;
}

function numbers(column: Column | undefined): number[] {
  return Array.from(column ?? [], (value) => value ?? Number.NaN);
}
