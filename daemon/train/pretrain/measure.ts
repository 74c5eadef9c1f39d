import type { Engine } from '../../engine/index.ts';
import type { MitConfig } from '../../model/config.ts';
import { createPretrainState } from './state.ts';
import { createPretrainStep } from './step.ts';
import type { PretrainStepOptions } from './types.ts';

/** Number of timed steps per executor, after an untimed one. */
const TIMED_STEPS = 3;

/** Milliseconds per step, measured on made-up images and a separate state. */
export async function millisecondsPerStep(
  engine: Engine,
  model: MitConfig,
  options: PretrainStepOptions,
): Promise<number> {
  const state = createPretrainState(engine, model, 0);
  const step = createPretrainStep(engine, state, options);
  try {
    const { size, batch, phase } = step.options;
    const length = size.reduce((all, n) => all * n, 2 * batch * (phase === '2D' ? 3 : 1));
    const views = Float32Array.from({ length }, (_, i) => (i % 7) / 7);
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
