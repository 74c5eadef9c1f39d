import { positionColumns, type ShownSeries } from '../../protocol/metrics/page.ts';
import { type Modality, modalities } from '../../protocol/modality.ts';
import { familyOf, type PanelId } from '../../protocol/records/series.ts';
import { titleOf } from './format.ts';
import type { Run } from './store.ts';

/** The groups of curves, in the order of the page. The data says which curves exist. */
export const panels = [
  { id: 'overview', title: 'Overview' },
  { id: 'loss', title: 'Loss' },
  { id: 'validation', title: 'Validation' },
  { id: 'collapse', title: 'Collapse checks' },
  { id: 'optimiser', title: 'Optimiser' },
  { id: 'speed', title: 'Speed and memory' },
  { id: 'other', title: 'Other' },
] as const satisfies readonly { readonly id: PanelId | 'overview'; readonly title: string }[];
export type ShownPanel = (typeof panels)[number]['id'];

/** A series as the page shows it, and its table. */
export interface SeriesInfo extends Omit<ShownSeries, 'panel'> {
  /** Its id on the page: `steps:loss`, `steps:loss:2D` if the run has both modalities, `steps:loss:overview`. */
  readonly id: string;
  readonly table: 'steps' | 'epochs';
  readonly panel: ShownPanel;
  /** The modality whose steps it shows; `each`: a curve for each. undefined: the runs have no modalities, or it does not depend on them. */
  readonly modality?: Modality | 'each';
  /** The members of a family that it shows together, in the order in which they were recorded. */
  readonly members?: readonly { readonly key: string; readonly name: string }[];
}

const positionKeys: ReadonlySet<string> = new Set(positionColumns);

/** The recorded series of runs, in the order of their catalogues; unlisted ones follow in the order of their keys. */
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

/** The modalities that a run has trained on so far; none if its records name none. */
export function modalitiesOf(run: Run): Modality[] {
  const phase = run.steps.values('phase');
  return modalities.filter((modality) => phase?.includes(dimensionsOf(modality)));
}

/** A modality as a value of the column `phase`. */
export function dimensionsOf(modality: Modality): number {
  return modality === '3D' ? 3 : 2;
}

/**
 * The charts of runs: one per recorded series, or one per modality if the level of the series depends on it. Charts of the
 * overview exist once more, with 2D and 3D together. Before the members of a family (Dice of each class) comes a chart with all.
 */
export function shownSeries(runs: readonly Run[]): SeriesInfo[] {
  const trained = runs.map((run) => ({ run, on: modalitiesOf(run) }));
  const recorded = recordedSeries(runs);
  const of = (info: SeriesInfo) => trained.filter(({ run }) => run[info.table].keys.includes(info.key));
  const groups = (info: SeriesInfo) =>
    modalities.filter((modality) => of(info).some(({ on }) => on.includes(modality)));
  const overview = recorded
    .filter((info) => info.overview)
    .map((info): SeriesInfo => {
      const each = info.byModality && groups(info).length > 0;
      // There is no room for units; a time without one says nothing.
      const plain = /^ms\b/.test(info.unit) ? `${info.title}, ms` : info.title;
      const title = each && info.terms ? `${info.title} per term` : plain;
      return { ...info, id: `${info.id}:overview`, title, panel: 'overview', ...(each && { modality: 'each' }) };
    });
  const families = familyCharts(runs);
  const others = recorded.flatMap((info): SeriesInfo[] => {
    const family = families.filter(({ table, first }) => table === info.table && first === info.key);
    if (!info.byModality) return [...family.map(({ chart }) => chart), info];
    return [
      ...(of(info).some(({ on }) => on.length === 0) ? [info] : []),
      ...groups(info).map((modality) => ({
        ...info,
        id: `${info.id}:${modality}`,
        title: `${info.title} · ${modality}`,
        modality,
      })),
    ];
  });
  return [...overview, ...others];
}

/** The charts of families with several recorded members, each with the first member in the order of the page. */
function familyCharts(runs: readonly Run[]) {
  const families = new Map(
    runs.flatMap(({ series }) =>
      series.filter(({ together }) => together !== undefined).map((one) => [`${one.of}:${one.key}`, one] as const),
    ),
  );
  return [...families.values()].flatMap((series) => {
    const { table, ...info } = infoOf(series);
    const prefix = series.key.slice(0, -1);
    const keys = new Set(runs.flatMap((run) => run[table].keys.filter((key) => key.startsWith(prefix))));
    const [first] = [...keys].sort((a, b) => a.localeCompare(b));
    if (keys.size < 2 || first === undefined) return [];
    const members = [...keys].map((key) => ({ key, name: key.slice(prefix.length) }));
    return [{ table, first, chart: { ...info, table, title: series.together ?? series.title, members } }];
  });
}

/** An unknown panel becomes "Other". */
function infoOf(series: ShownSeries): SeriesInfo {
  const table = series.of === 'step' ? 'steps' : 'epochs';
  const panel = panels.find(({ id }) => id === series.panel)?.id ?? 'other';
  return { ...series, id: `${table}:${series.key}`, table, panel };
}

/** A number of a listed family (`dice/liver` of `dice/*`) is shown as its family says, any other under "Other". */
function unlistedSeries(table: SeriesInfo['table'], key: string, listed: readonly SeriesInfo[]): SeriesInfo {
  const of = table === 'steps' ? 'step' : 'epoch';
  const found = familyOf(key, of, listed);
  if (found) return { ...found.family, key, id: `${table}:${key}`, title: `${found.family.title}: ${found.name}` };
  const shown = { title: titleOf(key), unit: '', panel: 'other', help: `Recorded as ${key}.` } as const;
  return { id: `${table}:${key}`, table, key, of, ...shown };
}

/** The limits of a series in runs, each value once. If they differ between runs, their labels name the runs. */
export function limitsOf(info: SeriesInfo, runs: readonly Run[]): { value: number; label: string }[] {
  const all = runs.flatMap((run) =>
    (run.series.find(({ key, of }) => key === info.key && of === info.of)?.limits ?? []).map((limit) => ({
      ...limit,
      run: run.name,
    })),
  );
  const values = [...new Set(all.map(({ value }) => value))];
  const several = new Set(all.map(({ wrong }) => wrong)).size < values.length;
  return values.flatMap((value) => {
    const own = all.filter((limit) => limit.value === value);
    const [first] = own;
    if (!first) return [];
    return [{ value, label: several ? `${first.label} (${own.map(({ run }) => run).join(', ')})` : first.label }];
  });
}

/** Whether the moving average applies to a series. */
export function isSmoothed({ of, smooth = true }: SeriesInfo): boolean {
  return of === 'step' && smooth;
}

/** Significant digits for values of a series. */
export function digitsOf({ digits = 4 }: SeriesInfo): number {
  return digits;
}
