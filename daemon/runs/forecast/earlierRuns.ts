import { isDeepStrictEqual } from 'node:util';
import type { SharedConfig } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { StepRecord } from '../../../protocol/records/records.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { listRuns } from '../records/list.ts';
import { readLastRecords } from '../records/readRecords.ts';
import { kindsOf, type Task } from '../start/task.ts';

type Group = Modality | null;

/** What an earlier run measured of the same steps on the same device. */
export interface Measured {
  /** Its id. */
  readonly run: string;
  /** Median duration of a step with the wait for its data, s. */
  readonly secondsPerStep: ReadonlyMap<Group, number>;
  /** Largest resident memory after a step, bytes; undefined if it did not do the steps of all groups. */
  readonly memory: number | undefined;
}

/** Runs that are looked at, the newest first, and the part of their records. */
const mostRuns = 40;
const tailBytes = 128 << 10;
/** Fewer steps say little: the first one includes the preparation of its graph. */
const fewestSteps = 3;

/**
 * What the newest run with equal steps measured, for all groups of a run that has not begun.
 * @param root folder of runs
 * @param device name of the processor or GPU
 */
export async function measuredBefore(
  root: string,
  { config, groups, device, task }: { config: SharedConfig; groups: readonly Group[]; device: string; task: Task },
  tasks: readonly Task[],
): Promise<Measured | undefined> {
  const keys = new Map(groups.map((group) => [group, task.stepKey(config, group)]));
  const { runs } = await listRuns(root, kindsOf(tasks));
  for (const { folder } of runs.slice(0, mostRuns)) {
    try {
      const measured = await measuredIn(folder, { keys, device, task }, tasks);
      if (measured) return measured;
    } catch (error) {
      // A damaged run tells nothing here; lists of runs say what is wrong with it.
      if (!(error instanceof UnimissError)) throw error;
    }
  }
  return undefined;
}

async function measuredIn(
  folder: string,
  { keys, device, task }: { keys: ReadonlyMap<Group, JsonObject>; device: string; task: Task },
  tasks: readonly Task[],
): Promise<Measured | undefined> {
  const run = await RunFolder.open(folder, kindsOf(tasks));
  if (run.task !== task.config.task || !run.readable || (await run.versions())?.device !== device) return undefined;
  const equal = [...keys].filter(([group, key]) => isDeepStrictEqual(task.stepKey(run.config, group), key));
  if (equal.length < keys.size) return undefined;
  const { records } = await readLastRecords(run.recordsFile, tailBytes);
  const steps = records.filter((record): record is StepRecord => record.kind === 'step');
  const secondsPerStep = new Map<Group, number>();
  for (const group of keys.keys()) {
    const own = steps.filter((step) => step.group === group);
    if (own.length >= fewestSteps) secondsPerStep.set(group, median(own.map((s) => s.stepMs + s.waitMs)) / 1000);
  }
  if (secondsPerStep.size === 0) return undefined;
  const all = secondsPerStep.size === keys.size;
  return {
    run: run.id,
    secondsPerStep,
    memory: all ? Math.max(...steps.map(({ rssMiB }) => rssMiB)) * 2 ** 20 : undefined,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
