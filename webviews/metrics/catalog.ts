import { positionColumns, type ShownSeries } from '../../protocol/metrics/page.ts';
import { familyOf, type PanelId } from '../../protocol/records/series.ts';
import { titleOf } from './format.ts';
import type { Run } from './store.ts';

/** The groups of curves, in the order in which they are shown. What curves there are comes with the data. */
export const panels: readonly { readonly id: PanelId; readonly title: string }[] = [
  { id: 'loss', title: 'Loss' },
  { id: 'validation', title: 'Validation' },
  { id: 'collapse', title: 'Signs of collapse' },
  { id: 'optimiser', title: 'Optimiser' },
  { id: 'speed', title: 'Speed and memory' },
  { id: 'other', title: 'Other' },
];

/** A series as it is shown, and the table that it is in. */
export interface SeriesInfo extends Omit<ShownSeries, 'panel'> {
  /** Names it on the page: `steps:loss`. */
  readonly id: string;
  readonly table: 'steps' | 'epochs';
  readonly panel: PanelId;
}

const positionKeys: ReadonlySet<string> = new Set(positionColumns);

/** The recorded series of runs, in the order of their catalogues; those that are not listed follow in the order of their keys. */
export function recordedSeries(runs: Iterable<Run>): SeriesInfo[] {
  const listed = new Map<string, SeriesInfo>();
  const recorded = new Map<string, { table: SeriesInfo['table']; key: string }>();
  for (const run of runs) {
    for (const info of run.series.map(infoOf)) if (!listed.has(info.id)) listed.set(info.id, info);
    for (const table of ['steps', 'epochs'] as const)
      for (const key of run[table].keys) if (!positionKeys.has(key)) recorded.set(`${table}:${key}`, { table, key });
  }
  const unlisted = [...recorded]
    .filter(([id]) => !listed.has(id))
    .map(([, { table, key }]) => unlistedSeries(table, key, [...listed.values()]));
  return [
    ...[...listed.values()].filter(({ id }) => recorded.has(id)),
    ...unlisted.sort((a, b) => a.key.localeCompare(b.key)),
  ];
}

/** A panel that this page does not know is "Other". */
function infoOf(series: ShownSeries): SeriesInfo {
  const table = series.of === 'step' ? 'steps' : 'epochs';
  const panel = panels.find(({ id }) => id === series.panel)?.id ?? 'other';
  return { ...series, id: `${table}:${series.key}`, table, panel };
}

/** A number of a listed family (`dice/liver` of `dice/*`) is shown as that says, any other under "Other". */
function unlistedSeries(table: SeriesInfo['table'], key: string, listed: readonly SeriesInfo[]): SeriesInfo {
  const of = table === 'steps' ? 'step' : 'epoch';
  const found = familyOf(key, of, listed);
  if (found) return { ...found.family, key, id: `${table}:${key}`, title: `${found.family.title}: ${found.name}` };
  const shown = { title: titleOf(key), unit: '', panel: 'other', help: `Recorded as ${key}.` } as const;
  return { id: `${table}:${key}`, table, key, of, ...shown };
}

/** Whether the moving average applies to a series. */
export function isSmoothed({ of, smooth = true }: SeriesInfo): boolean {
  return of === 'step' && smooth;
}

/** Significant digits in which values of a series are shown. */
export function digitsOf({ digits = 4 }: SeriesInfo): number {
  return digits;
}
