import { messageOf } from '../../../protocol/errors.ts';
import type { RunEnding } from '../../../protocol/runs/runInfo.ts';
import { lockRun } from '../folder/lock.ts';
import { RunLog } from '../folder/log.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { RecordLog } from '../records/recordLog.ts';

/**
 * Writes into a run what its trainer could no longer write itself: that it was killed or died, with its last words (not where
 * `records.hidePaths` is set, as they may name images). The run stays resumable. Where it cannot be written (a full disk may
 * be why the trainer died) `problem` is told.
 */
export async function writeEnding(
  run: RunFolder,
  ending: RunEnding,
  problem: (message: string) => void,
): Promise<void> {
  if (ending.how !== 'died' && ending.how !== 'killed') return;
  try {
    const lock = await lockRun(run.lockFile);
    try {
      const { signal, exitCode, message, time } = ending;
      const lastWords = run.config.records.hidePaths ? '' : ending.lastWords;
      const records = RecordLog.open(run.recordsFile);
      try {
        const details = { how: ending.how, signal, exitCode, lastWords: lastWords.slice(-2000) };
        records.append({ kind: 'event', event: 'warning', message, details, time });
      } finally {
        records.close();
      }
      const log = new RunLog(run.logFile);
      log.write('error', lastWords ? `${message} Its last words:\n${lastWords}` : message);
      log.close();
    } finally {
      lock.release();
    }
  } catch (error) {
    problem(`how it ended could not be written into the run: ${messageOf(error)}`);
  }
}
