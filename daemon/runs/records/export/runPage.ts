import type { SummaryFact } from '../../../../protocol/metrics/page.ts';
import type { RunRecord, RunSummary } from '../../../../protocol/records/records.ts';
import type { Series } from '../../../../protocol/records/series.ts';
import { writeReport } from '../../../evaluate/report/report.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import { settingsOf } from '../../folder/settings.ts';
import { loadPreviews, savedPreview } from '../previewFiles.ts';
import { runFacts } from './runFacts.ts';

/** Epochs whose previews are embedded: the first, the last, and some between. */
const MOST_PREVIEWS = 24;

/**
 * Writes the self-contained page of a run: curves, warnings, previews and, where given, results.
 * @param how.series catalogue of the run's numbers
 * @param how.notice gets what is skipped
 */
export async function writeRunPage(
  file: string,
  run: RunFolder,
  given: RunSummary,
  records: readonly RunRecord[],
  how: { series: readonly Series[]; summary?: SummaryFact[]; notice: (message: string) => void },
): Promise<void> {
  const { series, summary = [], notice } = how;
  const saved = records.flatMap((r) => (r.kind === 'event' && r.event === 'preview' ? (savedPreview(r) ?? []) : []));
  const previews = await loadPreviews(run, spread(saved, MOST_PREVIEWS), notice);
  const settings = settingsOf(run);
  await writeReport(file, {
    title: run.about.name,
    summary,
    runs: [
      {
        ...{ id: run.id, name: run.about.name, state: given.state, records, series, previews },
        ...(given.step !== null &&
          given.epoch !== null && {
            progress: { step: given.step + 1, epoch: given.epoch, totalEpochs: given.epochs },
          }),
        ...(settings && { settings }),
        about: await runFacts(run, given, records),
      },
    ],
  });
}

/** At most `most` items, evenly spread, including the first and the last. */
function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))] as T);
}
