import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigKind } from '../../../protocol/config/index.ts';
import { messageOf } from '../../../protocol/errors.ts';
import { modalities } from '../../../protocol/modality.ts';
import type { EventRecord, RunRecord, RunState, RunSummary } from '../../../protocol/records/records.ts';
import { isLocked } from '../folder/lock.ts';
import { closeToOthers } from '../folder/privateFolders.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { readLastRecords } from './readRecords.ts';

/** Enough for the records of some hundred steps, and for everything that a run records when it ends. */
const tailBytes = 128 << 10;

const stateAfter: Partial<Record<EventRecord['event'], RunState>> = {
  start: 'interrupted',
  resume: 'interrupted',
  stop: 'stopped',
  finish: 'finished',
  error: 'failed',
};

/** The state of a run, from its lock and the end of its records. */
export async function runState(run: RunFolder): Promise<RunState> {
  return (await summarize(run)).state;
}

/** The summary of a run for a list. Reads only the end of its records, so that long runs cost no more than short ones. */
export async function summarize(run: RunFolder): Promise<RunSummary> {
  const { records, all } = await readLastRecords(run.recordsFile, tailBytes);
  const last = <T extends RunRecord>(test: (record: RunRecord) => record is T): T | undefined => records.findLast(test);
  const step = last((r) => r.kind === 'step');
  const decisive = last((r): r is EventRecord => r.kind === 'event' && r.event in stateAfter);
  // If the end of a long file says nothing, the run was in the middle of its steps.
  const ended = decisive ? stateAfter[decisive.event]! : all && records.length === 0 ? 'new' : 'interrupted';
  const time = records.at(-1)?.time ?? run.about.created;
  return {
    id: run.id,
    folder: run.folder,
    name: run.about.name,
    task: run.task,
    state: isLocked(run.lockFile) ? 'running' : ended,
    preset: run.summary.preset,
    created: run.about.created,
    epoch: step?.epoch ?? null,
    epochs: run.summary.epochs,
    step: step?.step ?? null,
    loss: step?.loss ?? null,
    losses: latestLosses(records),
    updated: time,
    from: run.summary.from ?? null,
    score: latestScore(records, run.summary.score),
    ...experimentOf(run),
  };
}

function experimentOf(run: RunFolder): Pick<RunSummary, 'experiment'> {
  const experiment = run.readable ? run.config.experiment : null;
  return typeof experiment === 'string' ? { experiment } : {};
}

/** The latest validation, as far as the records go back. */
function latestScore(records: readonly RunRecord[], series: string | undefined): RunSummary['score'] {
  if (series === undefined) return null;
  const found = records.findLast((record) => record.kind === 'epoch' && record.values[series] !== undefined);
  if (found?.kind !== 'epoch') return null;
  const value = found.values[series];
  return value === undefined ? null : { series, value, epoch: found.epoch };
}

/** The latest loss of each modality, as far as the records go back. */
function latestLosses(records: readonly RunRecord[]): RunSummary['losses'] {
  const steps = records.filter((record) => record.kind === 'step');
  return Object.fromEntries(
    modalities.flatMap((modality) => {
      const step = steps.findLast(({ group }) => group === modality);
      return step ? [[modality, step.loss]] : [];
    }),
  );
}

export interface RunList {
  /** Newest first. */
  runs: RunSummary[];
  /** Folders that are runs but cannot be read, and why. */
  problems: { folder: string; message: string }[];
}

/**
 * All runs under a root. Closes the root to other users (`closeToOthers`). Skips folders that are no runs; a broken folder does
 * not prevent listing the others.
 */
export async function listRuns(root: string, kinds?: readonly ConfigKind[]): Promise<RunList> {
  const list: RunList = { runs: [], problems: [] };
  await closeToOthers(root, (message) => list.problems.push({ folder: root, message }));
  const entries = await readdir(root, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    list.problems.push({ folder: root, message: messageOf(error) });
    return [];
  });
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const folder = join(root, entry.name);
    try {
      if ((await stat(join(folder, 'run.json')).catch(absent)) === undefined) continue;
      list.runs.push(await summarize(await RunFolder.open(folder, kinds)));
    } catch (error) {
      list.problems.push({ folder, message: messageOf(error) });
    }
  }
  list.runs.sort((a, b) => b.created.localeCompare(a.created) || b.id.localeCompare(a.id));
  return list;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
