import { join } from 'node:path';
import { cacheFolder } from '../../../protocol/cacheFolder.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import type { RunVersions } from '../../../protocol/records/records.ts';
import { chooseExecutor, type Executor } from '../../engine/index.ts';
import type { Training } from '../../train/training.ts';
import type { RunEngine } from './openRunEngine.ts';

export type Executors = Record<Modality, Executor>;

export interface ExecutorWish {
  /** The setting of the configuration. */
  readonly asked: Executor | 'auto';
  /** What the run began with, if it has begun. */
  readonly before: RunVersions | undefined;
  readonly on: RunEngine;
  notice(message: string): void;
}

/**
 * The executor of each group's steps: the one that the run began with, else that of the configuration, else (`auto`) the faster
 * of graph and XLA, measured once per machine and step.
 */
export async function executorsOf(training: Training, wish: ExecutorWish): Promise<Executors> {
  const chosen: Executors = { '2D': 'graph', '3D': 'graph' };
  for (const group of modalities) {
    const used = wish.before?.executors[group];
    if (used) chosen[group] = used;
    else if (wish.asked !== 'auto') chosen[group] = wish.asked;
    else if (training.plan.epochs.some((epoch) => epoch.group === group))
      chosen[group] = await measured(training, group, wish);
  }
  return chosen;
}

/** What a measurement of a step's executors is kept under. */
export function measurementKey(step: JsonObject, { threads, device }: Pick<RunEngine, 'threads' | 'device'>): string {
  return JSON.stringify({ ...step, threads, device });
}

export function measurementsFile(): string {
  return join(cacheFolder(), 'executors.json');
}

async function measured({ executors }: Training, group: Modality, { on, notice }: ExecutorWish): Promise<Executor> {
  if (!executors) return 'graph';
  const { engine, threads, device } = on;
  return chooseExecutor({
    key: measurementKey(executors.key(group), { threads, device }),
    tensorflow: engine.version,
    candidates: engine.executors,
    cacheFile: measurementsFile(),
    measure: (executor) => executors.measure(group, executor),
    notice,
  });
}
