import type { Engine } from '../../engine/index.ts';
import type { Tensor } from '../../engine/ops/index.ts';
import { batchMean, type Distribution, type Outputs, targets, teacherStatistics, terms } from './loss.ts';
import type { PretrainState } from './state.ts';
import { type CompiledPart, inputShapes, type ResolvedOptions } from './stepInputs.ts';
import { studentPass, teacherPass, update } from './stepParts.ts';

/** Means of each output over the batch, [1, out]. */
export function meansOf(outputs: Outputs): Outputs {
  return Object.fromEntries(Object.entries(outputs).map(([name, rows]) => [name, batchMean(rows)]));
}

/** Outputs of a compiled part: features of views and slices. */
export function featureOutputs([ofViews, ofSlices]: readonly [Tensor, Tensor?]): Record<string, Tensor> {
  return { features: ofViews, ...(ofSlices && { sliceFeatures: ofSlices }) };
}

/** Outputs of a compiled part: the teacher's statistics. */
export function teacherOutputs(distributions: readonly Distribution[]): Record<string, Tensor> {
  const { entropy, divergence, entropies, divergences } = teacherStatistics(distributions);
  return { teacherEntropy: entropy, teacherKl: divergence, teacherEntropies: entropies, teacherKls: divergences };
}

/** One step as one function: teacher, targets, student, gradients, update, centre. */
export function compileWhole(engine: Engine, state: PretrainState, options: ResolvedOptions): CompiledPart {
  const { phase, executor, clipGradient, centerMomentum } = options;
  return engine.compile({
    name: `pretrain ${phase}`,
    executor,
    inputs: inputShapes(options, options.batch, ['views', 'targets', 'masks', 'update'], state.optimizer.inputs),
    body: (inputs: Record<string, Tensor>): Record<string, Tensor> => {
      const teacher = teacherPass(state, inputs.views!, options);
      const { distributions, center } = targets(
        phase,
        { outputs: teacher, means: meansOf(teacher) },
        state.center.read(),
        inputs.teacherTemperature!,
        centerMomentum,
      );
      const probabilities = distributions.map(({ probability }) => probability);
      const student = studentPass(state, inputs.views!, probabilities, options, inputs.dropPathMasks);
      const norms = update(state, phase, student.gradients, inputs, clipGradient);
      state.center.assign(center);
      const { koleo, features } = student;
      return {
        loss: student.loss,
        ...Object.fromEntries(terms[phase].map(({ name }, i) => [name, student.terms[i]!])),
        ...(koleo && { koleo }),
        ...featureOutputs(features),
        ...teacherOutputs(distributions),
        ...norms,
      };
    },
  });
}
