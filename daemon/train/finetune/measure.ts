import type { Engine } from '../../engine/index.ts';
import { createFineTuneState } from './state.ts';
import { createFineTuneStep } from './step.ts';
import type { FineTuneStateOptions, FineTuneStepOptions } from './types.ts';

/** Steps that an executor is timed over, after one that is not counted. */
const TIMED_STEPS = 3;

/** Milliseconds that a step takes, measured on made-up images and a state of its own. */
export async function millisecondsPerStep(
  engine: Engine,
  of: FineTuneStateOptions,
  options: FineTuneStepOptions,
): Promise<number> {
  const state = createFineTuneState(engine, of, 0);
  const step = createFineTuneStep(engine, state, options);
  try {
    const { size, batch, problem } = step.options;
    const { channels, outputs } = of.model;
    const voxels = size.reduce((all, n) => all * n, batch);
    const ofImages = problem.labels === 'exclusive' ? batch : batch * outputs;
    const labels = problem.task === 'segmentation' ? voxels : ofImages;
    const masks = step.drawDropPath(() => 0.5);
    const inputs = {
      images: Float32Array.from({ length: voxels * channels }, (_, i) => (i % 7) / 7),
      labels: Int32Array.from({ length: labels }, (_, i) => (problem.labels === 'exclusive' ? i % outputs : i % 2)),
      ...{ learningRate: 0, weightDecay: 0 },
      ...(masks && { dropPathMasks: masks }),
    };
    await step.run(inputs);
    const began = performance.now();
    for (let i = 0; i < TIMED_STEPS; i++) await step.run(inputs);
    return (performance.now() - began) / TIMED_STEPS;
  } finally {
    step.dispose();
    state.dispose();
  }
}
