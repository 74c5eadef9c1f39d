import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnimissError } from '../../../protocol/errors.ts';
import { scriptText, styleText } from '../../../protocol/inlineText.ts';
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
  const { script, style } = await readAssets(content.assets);
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
    runs: runs.map(({ id, name, state, records, series, previews = [], progress }) => {
      const { steps, epochs, events } = recordsToColumns(records);
      return { id, name, state, series, previews, progress, events, epochs, steps: downsample(steps, mostRows) };
    }),
  };
}

/** The page, with `script` and `style` in it. */
export function reportPage(title: string, script: string, style: string, snapshot: MetricsSnapshot): string {
  const code = scriptText(script);
  const rules = styleText(style);
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(code)}`,
    `style-src ${hashSource(rules)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${rules}</style>
</head>
<body>
<noscript>This page needs JavaScript to draw its curves. Please enable it.</noscript>
<script type="application/json" id="${embeddedMetricsId}">${embeddedJson(snapshot)}</script>
<script>${code}</script>
</body>
</html>
`;
}

/** JSON that cannot end its script element. Columns become arrays, rounded to 7 digits (float32); NaN becomes null. */
function embeddedJson(snapshot: MetricsSnapshot): string {
  const plain = (key: string, value: unknown) => {
    if (value instanceof Float64Array) {
      const exact = key === 'time' || key === 'step';
      return Array.from(value, (v) => (Number.isFinite(v) ? (exact ? v : Number(v.toPrecision(7))) : null));
    }
    return value;
  };
  return JSON.stringify(snapshot, plain).replace(/</g, '\\u003c');
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}

function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** The component's script and style, from dist/webviews: beside the bundle (dist/daemon/main.js), or seen from this file. */
async function readAssets(folder: string | undefined): Promise<{ script: string; style: string }> {
  const near = ['../webviews/', '../../../dist/webviews/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const place = folder ?? near.find((path) => existsSync(join(path, 'metrics.js'))) ?? near[0]!;
  try {
    const [script, style] = await Promise.all(
      ['metrics.js', 'metrics.css'].map((name) => readFile(join(place, name), 'utf8')),
    );
    return { script: script!, style: style! };
  } catch (cause) {
    throw new UnimissError('internal', 'Cannot read the script and style of the page (metrics.js, metrics.css).', {
      place,
      remedy: 'Build them with `npm run build`, or reinstall UniMiSS.',
      cause,
    });
  }
}
