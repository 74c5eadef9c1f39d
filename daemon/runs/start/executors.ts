import { join } from 'node:path';
import { cacheFolder } from '../../../protocol/cacheFolder.ts';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { RunVersions } from '../../../protocol/records/records.ts';
import { chooseExecutor, type Executor } from '../../engine/index.ts';
import type { RunPlan } from '../../train/plan.ts';
import { createPretrainState } from '../../train/pretrain/state.ts';
import { createPretrainStep } from '../../train/pretrain/step.ts';
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
): Promise<Record<Modality, Executor>> {
  const choose = async (phase: Modality): Promise<Executor> => {
    const used = before?.executors[phase];
    if (used) return used;
    const asked = config.engine.executor;
    if (asked !== 'auto') return asked;
    if (!plan.epochs.some((epoch) => epoch.phase === phase)) return 'graph';
    return measured(phase, config, opened, notice);
  };
  return { '2D': await choose('2D'), '3D': await choose('3D') };
}

async function measured(
  phase: Modality,
  config: ResolvedConfig,
  { engine, threads, device }: RunEngine,
  notice: (message: string) => void,
): Promise<Executor> {
  const { model, train } = config;
  const key = JSON.stringify({
    phase,
    model,
    batch: train.batch[phase],
    accumulate: train.accumulate,
    threads,
    device,
  });
  const choice = await chooseExecutor({
    key,
    tensorflow: engine.version,
    candidates: ['graph', 'xla'],
    cacheFile: join(cacheFolder(), 'executors.json'),
    measure: (executor) => millisecondsPerStep(phase, config, engine, executor),
    notice,
  });
  return choice;
}

async function millisecondsPerStep(
  phase: Modality,
  { model, train }: ResolvedConfig,
  engine: RunEngine['engine'],
  executor: Executor,
): Promise<number> {
  const state = createPretrainState(engine, modelConfig(model), 0);
  const batch = train.batch[phase] * train.accumulate;
  const step = createPretrainStep(engine, state, {
    phase,
    batch,
    accumulate: train.accumulate,
    executor,
    dropPath: model.dropPath,
  });
  try {
    const size = phase === '2D' ? [...model.size2D, 3] : [...model.size3D, 1];
    const views = new Float32Array(2 * batch * size.reduce((a, b) => a * b, 1)).map((_, i) => (i % 7) / 7);
    const masks = step.drawDropPath(() => 0.5);
    const once = () =>
      step.run({
        views,
        learningRate: 0,
        weightDecay: 0,
        momentum: 0.99,
        teacherTemperature: 0.04,
        lastLayerFrozen: false,
        ...(masks && { dropPathMasks: masks }),
      });
    await once();
    const began = performance.now();
    for (let i = 0; i < TIMED_STEPS; i++) await once();
    return (performance.now() - began) / TIMED_STEPS;
  } finally {
    step.dispose();
    state.dispose();
  }
}
