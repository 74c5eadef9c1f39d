import { messageOf } from '../../../protocol/errors.ts';
import type { RunEnding } from '../../../protocol/runs/runInfo.ts';
import { isLocked, lockRun, trainerOf } from '../folder/lock.ts';
import { RunLog } from '../folder/log.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { RecordLog } from '../records/recordLog.ts';
import { endingOf, recordedEnding } from './ending.ts';
import { lastWordsIn } from './trainerBody.ts';

/**
 * Writes into a run what its trainer could no longer write: that it was killed or died, with its last words (not with
 * `records.hidePaths` or an unreadable configuration, since they may name images). The run stays resumable. Calls `problem` if it cannot write (a full disk may
 * be why the trainer died).
 * @param since when that trainer took the lock, ISO 8601, so that the ending is written only once
 */
export async function writeEnding(
  run: RunFolder,
  ending: RunEnding,
  since: string,
  problem: (message: string) => void,
): Promise<void> {
  if (ending.how !== 'died' && ending.how !== 'killed') return;
  try {
    const lock = await lockRun(run.lockFile);
    try {
      if (await recordedEnding(run, since)) return;
      const { signal, exitCode, message, time } = ending;
      const lastWords = !run.readable || run.config.records.hidePaths ? '' : ending.lastWords;
      const records = RecordLog.open(run.recordsFile);
      try {
        const details = { how: ending.how, signal, exitCode, lastWords: lastWords.slice(-2000) };
        records.append({ kind: 'event', event: 'warning', message, details, time });
      } finally {
        records.close();
      }
      const log = new RunLog(run.logFile);
      log.write('error', lastWords ? `${message} Its last output:\n${lastWords}` : message);
      log.close();
    } finally {
      lock.release();
    }
  } catch (error) {
    problem(`cannot record how the run ended: ${messageOf(error)}`);
  }
}

/**
 * Writes the ending of a run whose trainer died while no daemon ran. A daemon calls it when it finds such a run, and a command
 * before it trains the run itself.
 * @returns the ending, if one was written
 */
export async function settleRun(run: RunFolder, problem: (message: string) => void): Promise<RunEnding | undefined> {
  const trainer = trainerOf(run.lockFile);
  if (!trainer || isLocked(run.lockFile) || (await recordedEnding(run, trainer.since))) return undefined;
  const exit = { exitCode: null, signal: null, unseen: true };
  const lastWords = await lastWordsIn(run.outputFile);
  const ending = endingOf({ exit, outcome: undefined, killed: false }, undefined, lastWords);
  await writeEnding(run, ending, trainer.since, problem);
  return ending;
}
