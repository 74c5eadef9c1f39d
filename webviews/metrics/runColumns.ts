import { bestOf, verdictOf } from '../../protocol/metrics/verdict.ts';
import { modalities } from '../../protocol/modality.ts';
import { dimensionsOf, modalitiesOf } from './catalog.ts';
import { formatCount, formatNumber } from './format.ts';
import { recentMean } from './recent.ts';
import type { Run } from './store.ts';

/** A column of the table of runs. */
export interface RunColumn {
  readonly key: string;
  readonly title: string;
  readonly help?: string;
  /** Text of a run's cell; empty: it has none. */
  text(run: Run): string;
  /** What rows are sorted by; texts are compared in natural order. */
  value(run: Run): number | string;
}

/** The columns for some runs: what every run has, their losses and scores, and the settings that differ. */
export function runColumns(runs: readonly Run[]): RunColumn[] {
  return [
    textColumn('state', 'State', ({ state }) => state),
    { key: 'epoch', title: 'Epoch', text: epochText, value: (run: Run) => epochOf(run) ?? -1 },
    textColumn('checks', 'Collapse checks', checksText),
    ...lossColumns(runs),
    ...scoreColumns(runs),
    ...differingSettings(runs).map((key) => settingColumn(key)),
  ].filter((column) => column.key === 'state' || runs.some((run) => column.text(run) !== ''));
}

/** Keys of settings that are not the same in all runs that tell theirs, in the order of the first. */
export function differingSettings(runs: readonly Run[]): string[] {
  const known = runs.flatMap(({ settings }) => (settings ? [settings] : []));
  const keys = new Set(known.flatMap((settings) => Object.keys(settings)));
  // The name is the first column.
  return [...keys].filter((key) => key !== 'name' && new Set(known.map((settings) => settings[key])).size > 1);
}

function textColumn(key: string, title: string, text: (run: Run) => string): RunColumn {
  return { key, title, text, value: text };
}

function epochOf(run: Run): number | undefined {
  return run.progress?.epoch ?? run.steps.values('epoch')?.at(-1);
}

function epochText(run: Run): string {
  const epoch = epochOf(run);
  if (epoch === undefined) return '';
  const { totalEpochs } = run.progress ?? {};
  return `${formatCount(epoch + 1)}${totalEpochs === undefined ? '' : ` of ${formatCount(totalEpochs)}`}`;
}

function checksText(run: Run): string {
  if (!run.series.some(({ panel }) => panel === 'collapse')) return '';
  const { tone } = verdictOf({ ...run, epochs: (key) => run.epochs.values(key) });
  return tone === 'unknown' ? '' : tone === 'good' ? 'passed' : 'warning signs';
}

function lossColumns(runs: readonly Run[]): RunColumn[] {
  const column = (key: string, title: string, phase: number | undefined): RunColumn => {
    const value = (run: Run) =>
      phase === undefined && modalitiesOf(run).length > 0 ? undefined : recentMean(run, 'loss', phase);
    return {
      ...{ key, title, help: 'Mean over the last steps.' },
      text: (run) => number(value(run)),
      value: (run) => value(run) ?? Number.POSITIVE_INFINITY,
    };
  };
  const groups = modalities.filter((modality) => runs.some((run) => modalitiesOf(run).includes(modality)));
  return [
    ...groups.map((modality) => column(`loss:${modality}`, `Loss ${modality}`, dimensionsOf(modality))),
    column('loss', 'Loss', undefined),
  ];
}

/** The best value of each series by which runs are judged, unless that is the loss. */
function scoreColumns(runs: readonly Run[]): RunColumn[] {
  const judged = new Map(
    runs.flatMap(({ series }) =>
      series
        .filter(({ judged, of, key }) => judged && of === 'epoch' && key !== 'loss')
        .map((one) => [one.key, one] as const),
    ),
  );
  return [...judged.values()].map((series) => {
    const value = (run: Run) => bestOf({ epochs: (key) => run.epochs.values(key) }, series)[0]?.value;
    return {
      ...{ key: series.key, title: `Best ${series.title}`, help: series.help },
      text: (run) => number(value(run)),
      value: (run) => value(run) ?? Number.NEGATIVE_INFINITY,
    };
  });
}

function settingColumn(key: string): RunColumn {
  const text = (run: Run) => run.settings?.[key] ?? '';
  return {
    ...{ key: `setting:${key}`, title: key, help: 'A setting that differs between these runs.', text },
    value: (run) => {
      const own = text(run);
      return own !== '' && Number.isFinite(Number(own)) ? Number(own) : own;
    },
  };
}

function number(value: number | undefined): string {
  return value === undefined ? '' : formatNumber(value);
}
