import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Preview, SummaryFact } from '../../protocol/metrics.ts';
import type { EventRecord, RunRecord } from '../../protocol/records.ts';
import { pngDataUri, writeReport } from '../evaluate/report.ts';
import { summarize } from '../runs/list.ts';
import { readRecords } from '../runs/readRecords.ts';
import type { RunFolder } from '../runs/runFolder.ts';

const previewDetails = z.object({ phase: z.enum(['2D', '3D']), images: z.array(z.array(z.string())) });

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
  for (const event of spread(events, MOST_PREVIEWS)) {
    const preview = await previewOf(run, event);
    if (preview) previews.push(preview);
  }
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

/** What a preview event says; undefined for one that another version wrote. A picture that is gone is an error of its own. */
async function previewOf(run: RunFolder, event: EventRecord): Promise<Preview | undefined> {
  const details = previewDetails.safeParse(event.details);
  if (!details.success) return undefined;
  const { phase, images } = details.data;
  const pictures = images.map(async (names) => ({
    views: await Promise.all(names.map(async (name) => pngDataUri(await readFile(run.previewFile(name))))),
    ...(phase === '3D' && { slices: run.config.model.size3D[0] }),
  }));
  return { step: event.step ?? 0, epoch: event.epoch ?? 0, phase, images: await Promise.all(pictures) };
}
