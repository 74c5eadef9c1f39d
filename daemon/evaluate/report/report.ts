import { dirname, resolve } from 'node:path';
import {
  embeddedMetricsId,
  type MetricsSnapshot,
  type Preview,
  type Progress,
  type ShownRunState,
  type SummaryFact,
} from '../../../protocol/metrics/page.ts';
import type { RunRecord } from '../../../protocol/records/records.ts';
import type { Series } from '../../../protocol/records/series.ts';
import { diskError, writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { recordsToColumns } from '../series/columns.ts';
import { downsample } from '../series/downsample.ts';
import { dataElement, readPageAssets, selfContainedPage } from './selfContainedPage.ts';

/** A run on the page, with its records in the order of writing. */
export interface ReportRun {
  id: string;
  name: string;
  state: ShownRunState;
  records: Iterable<RunRecord>;
  /** Catalogue of its numbers. */
  series: readonly Series[];
  previews?: Preview[];
  progress?: Progress;
  /** What it waits for, in a sentence. */
  waits?: string;
  /** Its configuration as text, by field. */
  settings?: Record<string, string>;
  /** What the page says of the run beside its curves. */
  about?: SummaryFact[];
}

export interface ReportContent {
  title: string;
  runs: ReportRun[];
  /** Results of the whole: "k-NN accuracy", "87 %", "chance 25 %". */
  summary?: SummaryFact[];
  /** Largest number of embedded rows per run; longer runs are down-sampled (means and extremes). */
  mostRows?: number;
  /** Folder of metrics.js and metrics.css, if it is not beside the bundle. */
  assets?: string;
}

/**
 * Writes one self-contained HTML page with curves, warnings and previews of runs: no other file, no network. Its content security
 * policy lets only the page's own script and style run, by their hashes. The file appears whole or not at all; makes its folder
 * if missing.
 * @throws UnimissError 'disk' if it cannot be written, 'internal' if the page's script is not built
 */
export async function writeReport(file: string, content: ReportContent): Promise<void> {
  const { script, style } = await readPageAssets('metrics', content.assets);
  const path = resolve(file);
  try {
    await makeFolder(dirname(path));
  } catch (error) {
    throw diskError(error, dirname(path));
  }
  await writeTextAtomically(path, reportPage(content.title, script, style, snapshotOf(content)));
}

/** A PNG file's bytes as a data URI, for `Preview`. */
export function pngDataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString('base64')}`;
}

/** The data of a page. */
export function snapshotOf({ title, runs, summary = [], mostRows = 4000 }: ReportContent): MetricsSnapshot {
  return {
    type: 'snapshot',
    sequence: 0,
    title,
    summary,
    runs: runs.map(({ id, name, state, records, series, previews = [], progress, waits, settings, about }) => {
      const { steps, epochs, events } = recordsToColumns(records);
      return {
        id,
        name,
        state,
        series,
        previews,
        progress,
        waits,
        settings,
        about,
        events,
        epochs,
        steps: downsample(steps, mostRows),
      };
    }),
  };
}

/** The page, with `script` and `style` in it. */
export function reportPage(title: string, script: string, style: string, snapshot: MetricsSnapshot): string {
  return selfContainedPage({
    title,
    script,
    style,
    body: `<noscript>This page needs JavaScript to draw its curves. Please enable it.</noscript>
${dataElement(embeddedMetricsId, snapshot, plain)}`,
  });
}

/** Columns become arrays, rounded to 7 digits (float32); NaN becomes null. */
function plain(key: string, value: unknown): unknown {
  if (!(value instanceof Float64Array)) return value;
  const exact = key === 'time' || key === 'step';
  return Array.from(value, (v) => (Number.isFinite(v) ? (exact ? v : Number(v.toPrecision(7))) : null));
}
