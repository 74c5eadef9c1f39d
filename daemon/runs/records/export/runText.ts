import type { MetricsEvent, MetricsTable } from '../../../../protocol/metrics/page.ts';
import { bestOf, verdictOf } from '../../../../protocol/metrics/verdict.ts';
import type { RunRecord, RunSummary } from '../../../../protocol/records/records.ts';
import { familyOf, type Limit, type Series } from '../../../../protocol/records/series.ts';
import { dateText } from '../../../../protocol/words.ts';
import { recordsToColumns } from '../../../evaluate/series/columns.ts';
import { means, sparkline } from './sparkline.ts';

/** Characters of a curve. */
const WIDTH = 20;

/**
 * The text of a run for a terminal: its state, a verdict, a table of its numbers for each modality and one for both together,
 * and the newest of its important events. A number of steps is a mean over a twentieth of the run. Counts from 1.
 * @param series catalogue of the run's numbers, with its limits
 * @param most most events
 */
export function textOf(run: RunSummary, records: readonly RunRecord[], series: readonly Series[], most = 12): string {
  const { steps, epochs, events } = recordsToColumns(records);
  const count = epochs.columns.step?.length ?? 0;
  const progress = run.epoch === null ? 'no steps yet' : `epoch ${run.epoch + 1} of ${run.epochs}`;
  const verdict = verdictOf({ series, epochs: (key) => epochs.columns[key], events });
  return [
    `${run.id}: ${run.state}, ${run.preset}, ${progress}`,
    ...(count > 0 ? [verdict.text] : []),
    ...tables({ steps, epochs }, series),
    ...eventLines(events, most),
    '',
  ].join('\n');
}

interface Tables {
  readonly steps: MetricsTable;
  readonly epochs: MetricsTable;
}

/** A line of a table: title, curve, first and last value, best value and its epoch, limits. */
type Line = [title: string, curve: string, first: string, last: string, best: string, limits: string];

function tables(recorded: Tables, series: readonly Series[]): string[] {
  const phases = [...new Set(Array.from(recorded.steps.columns.phase ?? [], (phase) => phase ?? Number.NaN))]
    .filter(Number.isFinite)
    .sort();
  const shown = listed(recorded, series);
  const both = shown.filter(({ byModality }) => phases.length === 0 || !byModality);
  const parts = [
    ...phases.map((phase) => ({
      title: `${phase}D`,
      phase,
      lines: shown.filter(({ byModality }) => byModality),
    })),
    { title: phases.length === 0 ? 'Run' : phases.length === 1 ? '' : '2D and 3D', phase: undefined, lines: both },
  ].map(({ title, phase, lines }) => ({
    title,
    lines: lines.map((one) => lineOf(recorded, one, phase)).filter((line) => line !== undefined),
  }));
  const head: Line = ['', '', 'first', 'last', 'best', 'limit'];
  const widths = head.map((heading, i) =>
    Math.max(heading.length, ...parts.flatMap(({ lines }) => lines.map((line) => (line[i] ?? '').length))),
  );
  const text = (line: Line, title = line[0]) =>
    [title, ...line.slice(1)]
      .map((cell, i) => (i < 2 || i > 3 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return parts.flatMap(({ title, lines }) =>
    lines.length === 0 ? [] : ['', text(head, title), ...lines.map((line) => text(line))],
  );
}

/** The recorded series that terminals show; the loss of steps only before the first epoch has its mean. */
function listed({ steps, epochs }: Tables, series: readonly Series[]): Series[] {
  const members = [
    ...Object.keys(steps.columns).map((key) => ({ key, of: 'step' as const })),
    ...Object.keys(epochs.columns).map((key) => ({ key, of: 'epoch' as const })),
  ].flatMap(({ key, of }) => {
    const found = series.some((one) => one.key === key && one.of === of) ? undefined : familyOf(key, of, series);
    return found?.family.inTerminal ? [{ ...found.family, key, title: `${found.family.title}: ${found.name}` }] : [];
  });
  const shown = [...series.filter(({ inTerminal }) => inTerminal !== undefined), ...members];
  const ended = (epochs.columns.step?.length ?? 0) > 0;
  // What answers "does it learn?" comes first.
  return [
    ...shown.filter(({ of }) => of === 'epoch'),
    ...shown.filter(
      ({ key, of }) => of === 'step' && !(ended && shown.some((one) => one.of === 'epoch' && one.key === key)),
    ),
  ];
}

function lineOf({ steps, epochs }: Tables, series: Series, phase: number | undefined): Line | undefined {
  const { columns } = series.of === 'step' ? steps : epochs;
  const own = Array.from(columns[series.key] ?? [], (value) => value ?? Number.NaN).filter(
    (value, row) => Number.isFinite(value) && (phase === undefined || columns.phase?.[row] === phase),
  );
  if (own.length === 0) return undefined;
  const decimals = series.inTerminal?.decimals ?? 3;
  const number = (value: number | undefined) => {
    if (value === undefined) return '–';
    return decimals === 'e' ? value.toExponential(2) : value.toFixed(decimals);
  };
  const ends = series.of === 'epoch' ? own : means(own, WIDTH);
  const best =
    series.of === 'epoch'
      ? bestOf({ epochs: (key) => epochs.columns[key] }, series).find(
          ({ modality }) => phase === undefined || modality === `${phase}D`,
        )
      : undefined;
  return [
    `  ${series.title}${series.unit ? `, ${series.unit}` : ''}`,
    sparkline(own, WIDTH),
    number(ends[0]),
    number(ends.at(-1)),
    best ? `${number(best.value)} (epoch ${best.epoch + 1})` : '',
    (series.limits ?? []).map((limit) => limitText(limit, number)).join(', '),
  ];
}

function limitText({ value, wrong }: Limit, number: (value: number) => string): string {
  return `${wrong === 'above' ? '<' : '>'} ${number(value)}`;
}

/** Checkpoints and previews come with every epoch: one line counts them. */
function eventLines(events: readonly MetricsEvent[], most: number): string[] {
  if (events.length === 0) return [];
  const routine = (name: string) => events.filter(({ event }) => event === name);
  const [checkpoints, previews] = [routine('checkpoint'), routine('preview')];
  const important = events.filter(({ event }) => event !== 'checkpoint' && event !== 'preview');
  const counted = [
    ...(checkpoints.length > 0 ? [`${counts(checkpoints, 'checkpoint')}, newest at step ${newest(checkpoints)}`] : []),
    ...(previews.length > 0 ? [`${counts(previews, 'preview')}, newest at step ${newest(previews)}`] : []),
  ];
  const lines = important.slice(-most).map(({ time, event, message }) => {
    const when = time === undefined ? '' : dateText(time);
    return `  ${when.padEnd(13)}  ${(event === 'sign' ? 'warning' : (event ?? '')).padEnd(8)} ${message.split('\n')[0]}`;
  });
  const left = important.length - lines.length;
  return [
    '',
    'Events',
    ...(left > 0 ? [`  … and ${left} earlier`] : []),
    ...lines,
    ...(counted.length > 0 ? [`  ${counted.join('; ')}`] : []),
  ];
}

function counts({ length }: readonly unknown[], word: string): string {
  return `${length} ${word}${length === 1 ? '' : 's'}`;
}

function newest(events: readonly MetricsEvent[]): string {
  return (events.at(-1)?.step ?? 0).toLocaleString('en-GB');
}
