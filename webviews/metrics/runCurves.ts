import { dimensionsOf, isSmoothed, modalitiesOf, type SeriesInfo } from './catalog.ts';
import { type Curve, pick, recordedRows } from './curve.ts';
import type { RunLooks } from './runLooks.ts';
import { smooth } from './smoothing.ts';
import type { Run } from './store.ts';

/** How the curves of a run are made. */
export interface CurveOptions {
  /** Positions of the rows of the series' table. */
  readonly x: Float64Array;
  readonly smoothing: number;
  readonly looks: RunLooks;
  /** Another run stands out. */
  readonly faded: boolean;
}

/** The curves of a run in a chart: one, one for each modality, or one for each member of a family. */
export function curvesOf(run: Run, { members, ...info }: SeriesInfo, options: CurveOptions): Curve[] {
  const { x, smoothing, looks, faded } = options;
  if (members)
    return members.flatMap(({ key, name }, place) =>
      curvesOf(run, { ...info, key }, options).map((curve) => ({
        ...curve,
        label: name,
        ...looks.ofMember(place, curve.dash),
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
        ...{ runId: run.id, runName: run.name, modality },
        ...looks.of(run.id, info.modality === 'each' ? modality : undefined),
        faded,
        ...{ x: pick(x, rows), raw, line: isSmoothed(info) ? smooth(raw, smoothing) : raw },
        extremes: extremes && { low: shown(extremes.low), high: shown(extremes.high) },
        segment: info.table === 'steps' ? rows.segment : undefined,
      },
    ];
  });
}
