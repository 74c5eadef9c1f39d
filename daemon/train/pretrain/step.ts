import type { Engine } from '../../engine/index.ts';
import { drawMasks } from '../dropPath.ts';
import { counted } from '../optimizers/optimizer.ts';
import { trainedBy } from '../parameters/groups.ts';
import { compileAccumulated } from './accumulatedStep.ts';
import { movingGroups } from './groups.ts';
import { terms } from './loss.ts';
import type { PretrainState } from './state.ts';
import { checkInputs, maskSamples, resolveOptions } from './stepInputs.ts';
import type { PretrainStep, PretrainStepOptions, PretrainStepResult } from './types.ts';
import { compileWhole } from './wholeStep.ts';

/**
 * Compiles a pre-training step of UniMiSS over `state`: one call moves student, moments, teacher and
 * centre. Compiling takes 1–3 s (XLA longer, in the first call).
 * @throws UnimissError 'config' for an impossible size or batch
 */
export function createPretrainStep(engine: Engine, state: PretrainState, options: PretrainStepOptions): PretrainStep {
  const resolved = resolveOptions(state.config, options);
  const { phase, accumulate, branches } = resolved;
  const compiled =
    accumulate === 1 ? compileWhole(engine, state, resolved) : compileAccumulated(engine, state, resolved);
  return {
    options: resolved,
    trained: trainedBy(phase, state.student.specs).map(({ name }) => name),
    drawDropPath(uniform) {
      return resolved.dropPath > 0 ? drawMasks(branches, maskSamples(resolved, resolved.batch), uniform) : undefined;
    },
    async run(inputs) {
      checkInputs(resolved, inputs);
      const moving = movingGroups(phase, inputs.lastLayerFrozen);
      const { views, teacherTemperature, dropPathMasks, momentum, learningRate, weightDecay } = inputs;
      const outputs = await counted(
        state.optimizer,
        moving,
        compiled.run({
          views,
          teacherTemperature,
          ...(dropPathMasks && { dropPathMasks }),
          momentum,
          ...state.optimizer.scalars({ learningRate, weightDecay, ...resolved.adam }, moving),
        }),
      );
      const number = (name: string) => outputs[name]![0]!;
      return {
        loss: number('loss'),
        terms: terms[phase].map(({ name }) => number(name)),
        gradientNorm: number('gradientNorm'),
        gradientNorms: outputs.gradientNorms!,
        teacherEntropy: number('teacherEntropy'),
        teacherKl: number('teacherKl'),
        teacherEntropies: outputs.teacherEntropies!,
        teacherKls: outputs.teacherKls!,
        features: outputs.features!,
        ...(outputs.sliceFeatures && { sliceFeatures: outputs.sliceFeatures }),
        ...(outputs.koleo && { koleo: number('koleo') }),
      } satisfies PretrainStepResult;
    },
    dispose: () => compiled.dispose(),
  };
}
