import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunDetails, runDetails, runExport, runImage, runReport } from '../../../protocol/runs/detailsMessages.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import { recordsToColumns } from '../../evaluate/series/columns.ts';
import { diskError, writeTextAtomically } from '../../files/atomic.ts';
import { exportRun } from '../../runs/export/exportRun.ts';
import type { RunFolder } from '../../runs/folder/runFolder.ts';
import { writeRunPage } from '../../runs/records/export/runPage.ts';
import { csvOf } from '../../runs/records/export/text.ts';
import { imageFile } from '../../runs/records/imageFile.ts';
import { readAllRecords } from '../../runs/records/readRecords.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { absolute } from './absolute.ts';
import type { Services } from './services.ts';

/** Warnings that a list shows. */
const MOST_WARNINGS = 20;

/** What a run has on the disk, and what others get from it. */
export function runFileHandlers(services: Services): Handler[] {
  const { registry, feeds } = services;
  return [
    handle(runDetails, async ({ run: ref }) => {
      const run = await registry.find(ref);
      const { feed, release } = feeds.open(run);
      try {
        await feed.refresh();
        const warnings = feed.after(0).events.filter(({ kind }) => kind === 'warning');
        return {
          config: run.configFile,
          log: run.logFile,
          warningCount: warnings.length,
          warnings: warnings
            .slice(-MOST_WARNINGS)
            .reverse()
            .map(({ message, advice, step }) => ({ message, step, ...(advice !== undefined && { advice }) })),
          checkpoints: await checkpointsOf(run),
          evaluations: await evaluationsOf(run),
        };
      } finally {
        release();
      }
    }),
    handle(runImage, async ({ run: ref, image }) => ({ file: await imageFile(await registry.find(ref), image) })),
    handle(runReport, async ({ run: ref, format, out }) => {
      const run = await registry.find(ref);
      const notices: string[] = [];
      const notice = (message: string) => notices.push(message);
      const records = await readAllRecords(run.recordsFile, notice);
      const file = absolute(out);
      if (format === 'html') {
        const series = services.seriesOf(run);
        await writeRunPage(file, run, await registry.info(run), records, { series, notice });
      } else {
        const { steps, epochs } = recordsToColumns(records);
        await writeTextAtomically(file, csvOf(format === 'csv' ? steps : epochs));
      }
      return { file, notices };
    }),
    handle(runExport, async ({ run: ref, out, network, checkpoint }) => {
      const run = await registry.find(ref);
      const notices: string[] = [];
      const onNotice = (message: string) => notices.push(message);
      const { folder, plan, parameters } = await exportRun(run, absolute(out), { network, checkpoint, onNotice });
      return { folder, step: plan.step, parameters, notices };
    }),
  ];
}

async function checkpointsOf(run: RunFolder): Promise<RunDetails['checkpoints']> {
  const store = new CheckpointStore(run.checkpointsFolder);
  const [all, best, pinned] = await Promise.all([store.list(), store.best(), store.pinned()]);
  const found = await Promise.all(
    all.map(async ({ file, step }) => {
      const bytes = await stat(file).then(
        ({ size }) => size,
        () => undefined, // the run has removed it meanwhile
      );
      const score = best?.file === file ? { series: best.score.series, value: best.score.value } : null;
      return bytes === undefined
        ? []
        : [{ file, step, bytes, score, best: best?.file === file, pinned: pinned.has(step) }];
    }),
  );
  return found.flat().reverse();
}

async function evaluationsOf({ folder }: RunFolder): Promise<RunDetails['evaluations']> {
  const place = join(folder, 'evaluations');
  const names = await readdir(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw diskError(error, place);
  });
  const found = await Promise.all(
    names.map(async (name) => {
      const report = join(place, name, 'report.html');
      const written = await stat(report).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined; // an interrupted evaluation has none
        throw diskError(error, report);
      });
      return written ? [{ name, report, time: written.mtime.toISOString() }] : [];
    }),
  );
  return found.flat().sort((a, b) => b.time.localeCompare(a.time));
}
