import { readFile } from 'node:fs/promises';
import type { Preview, SummaryFact } from '../../protocol/metrics.ts';
import type { EventRecord, RunRecord } from '../../protocol/records.ts';
import { pngDataUri, writeReport } from '../evaluate/report.ts';
import { summarize } from '../runs/list.ts';
import { readRecords } from '../runs/readRecords.ts';
import type { RunFolder } from '../runs/runFolder.ts';

/** Epochs whose previews are embedded: the first, the last, and some between. */
const MOST_PREVIEWS = 24;

/** Writes the self-contained page of a run: curves, warnings, previews and, where given, results. */
export async function writeRunPage(
  file: string,
  run: RunFolder,
  notice: (message: string) => void,
  summary: SummaryFact[] = [],
): Promise<void> {
  const records: RunRecord[] = [];
  for await (const record of readRecords(run.recordsFile, notice)) records.push(record);
  const { state } = await summarize(run);
  const events = records.filter((r): r is EventRecord => r.kind === 'event' && r.event === 'preview');
  const previews: Preview[] = [];
  for (const event of spread(events, MOST_PREVIEWS)) previews.push(await previewOf(run, event));
  await writeReport(file, {
    title: run.about.name,
    summary,
    runs: [{ id: run.id, name: run.about.name, state, records, previews }],
  });
}

/** At most `most` items, evenly spread, the first and the last among them. */
function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))] as T);
}

async function previewOf(run: RunFolder, event: EventRecord): Promise<Preview> {
  const { phase, images } = event.details as { phase: '2D' | '3D'; images: string[][] };
  const pictures = images.map(async (names) => ({
    views: await Promise.all(names.map(async (name) => pngDataUri(await readFile(run.previewFile(name))))),
    ...(phase === '3D' && { slices: run.config.model.size3D[0] }),
  }));
  return { step: event.step ?? 0, epoch: event.epoch ?? 0, phase, images: await Promise.all(pictures) };
}
