import type { EventRecord, RunRecord } from '../../../protocol/records/records.ts';
import type { RunEnding } from '../../../protocol/runs/runInfo.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { readLastRecords } from '../records/readRecords.ts';
import { errorOf } from './errors.ts';
import type { Exit } from './trainerBody.ts';
import type { LinkEnd } from './trainerLink.ts';

/** Enough for everything that a run records when it ends. */
const TAIL = 64 << 10;

const goesOn = 'Resume continues from the last checkpoint.';
const causes: Record<string, string> = {
  SIGKILL:
    'UniMiSS did not do this; usually the system ran out of memory. If it happens again, use a smaller train.batch',
  SIGSEGV: 'a crash in native code: report it with `unimiss engine doctor`',
  SIGABRT: 'a crash in native code: report it with `unimiss engine doctor`',
  SIGBUS: 'a memory-mapped file became shorter, or the disk is full',
  SIGILL: 'this processor lacks an instruction that TensorFlow uses',
};

type How = Pick<RunEnding, 'how' | 'message' | 'error'>;

/**
 * How a trainer ended: from its last message; without one, from its records; else it was killed or died.
 * @param recorded the final event of its records, if there is one
 */
export function endingOf(
  { exit, outcome, killed }: Exclude<LinkEnd, { misfit: string }>,
  recorded: EventRecord | undefined,
  lastWords: string,
): RunEnding {
  const { exitCode, signal } = exit;
  return { ...how(), signal, exitCode, lastWords, time: new Date().toISOString() };

  function how(): How {
    if (outcome?.type === 'failed') return { how: 'failed', message: errorOf(outcome.error), error: outcome.error };
    if (outcome?.type === 'ended') return wellEnded[outcome.outcome];
    if (recorded?.event === 'finish') return wellEnded.finished;
    if (recorded?.event === 'stop') return wellEnded.stopped;
    if (recorded?.event === 'error') return { how: 'failed', message: recorded.message };
    if (killed) return { how: 'killed', message: `Killed on request. ${goesOn}` };
    return { how: 'died', message: deathNotice(exit) };
  }
}

const wellEnded: Record<'finished' | 'stopped', How> = {
  finished: { how: 'finished', message: 'Finished.' },
  stopped: { how: 'stopped', message: 'Stopped, with a checkpoint.' },
};

/** One sentence about a trainer that ended without a message. */
export function deathNotice({ exitCode, signal, unseen, spawnError }: Exit): string {
  if (spawnError) return `The training process could not be started: ${spawnError.message}.`;
  if (unseen) return `The training process died while no background server ran, so the cause is unknown. ${goesOn}`;
  if (signal === null) return `The training process exited with code ${exitCode} and gave no reason. ${goesOn}`;
  const cause = causes[signal];
  return `The training process was killed (${signal})${cause ? `: ${cause}` : ''}. ${goesOn}`;
}

/** The final event in the records of a run whose trainer started at `since` (ISO 8601); undefined if it wrote none. */
export async function recordedEnding(
  run: Pick<RunFolder, 'recordsFile'>,
  since: string,
): Promise<EventRecord | undefined> {
  const { records } = await readLastRecords(run.recordsFile, TAIL);
  const last = records.findLast(isEnding);
  return last && last.time >= since ? last : undefined;
}

function isEnding(record: RunRecord): record is EventRecord {
  if (record.kind !== 'event') return false;
  const { event, details } = record;
  if (event === 'warning') return details?.how === 'died' || details?.how === 'killed';
  return event === 'stop' || event === 'finish' || event === 'error';
}
