import { UnimissError } from '../../../protocol/errors.ts';
import type { Engine, StepInput } from '../../engine/index.ts';
import {
  add,
  div,
  identity,
  minimum,
  mul,
  norm,
  sqrt,
  square,
  type Tensor,
  valueAndGrads,
} from '../../engine/ops/index.ts';
import type { DownstreamConfig } from '../../model/downstream.ts';
import type { Weights } from '../../model/weights.ts';
import { branches, drawMasks, stochasticDepth } from '../dropPath.ts';
import { counted } from '../optimizers/optimizer.ts';
import { groupOfLayer, movable, reached } from './groups.ts';
import { lossOf, type Told } from './loss.ts';
import type { FineTuneState } from './state.ts';
import type { FineTuneStep, FineTuneStepInputs, FineTuneStepOptions, Problem } from './types.ts';

/** Elements that are worked on at a time where much memory would be needed otherwise: 32 MiB. */
const PIECE = 2 ** 23;

/**
 * Compiles a fine-tuning step over `state`: forward, loss, gradients, update, in one call. Compiling takes 1–3 s (XLA longer, in the
 * first call). Several steps may be compiled over one state, such as one for the head alone and one for everything.
 * @throws UnimissError 'config' for a size that cannot be, 'internal' for a problem that is not the model's
 */
export function createFineTuneStep(engine: Engine, state: FineTuneState, options: FineTuneStepOptions): FineTuneStep {
  const { model, parameters, optimizer } = state;
  const resolved = resolve(model, options);
  const { problem, batch, size, dropPath, clipGradient } = resolved;
  const may = new Set(movable(state.movable, resolved.frozen).map(({ name }) => name));
  const trained = reached(model, problem, state.table).filter(({ name }) => may.has(name));
  const moving = new Set(trained.map(({ layer }) => groupOfLayer(layer)));
  const rows = branches(model.task === 'segmentation' ? model.backbone : { encoder: model.backbone.encoder }, dropPath);
  const inputs: Record<string, StepInput> = {
    images: { shape: [batch, ...size, model.channels] },
    labels: { shape: labelShape(model, problem, batch, size), dtype: 'int32' },
    ...(dropPath > 0 && { dropPathMasks: { shape: [rows.length, batch] } }),
    ...Object.fromEntries(optimizer.inputs.map((name) => [name, { shape: [] }])),
  };

  const compiled = engine.compile({
    name: `fine-tuning, ${model.modality} ${model.task}`,
    executor: resolved.executor,
    inputs,
    body: (values: Record<string, Tensor>): Record<string, Tensor> => {
      const told: Told = {};
      const masks = values.dropPathMasks;
      const { value, grads } = valueAndGrads((...tensors: Tensor[]) => {
        const own = new Map(trained.map(({ name }, i) => [name, tensors[i]]));
        const rest = parameters.weights();
        const weights: Weights = (name) => own.get(name) ?? rest(name);
        const depth = masks && stochasticDepth(rows, masks, 0, batch);
        const pass = { config: model, weights, pieceSize: PIECE, ...(depth && { stochasticDepth: depth }) };
        return lossOf(problem, pass, values.images!, values.labels!, told);
      })(trained.map(({ name }) => parameters.variable(name).read()));
      const outputs = Object.fromEntries(Object.entries(told).map(([name, tensor]) => [name, identity(tensor)]));
      for (const tensor of Object.values(told)) tensor.dispose();
      const gradientNorm = sqrt(grads.map((gradient) => square(norm(gradient))).reduce((a, b) => add(a, b)));
      const factor = Number.isFinite(clipGradient) && minimum(1, div(clipGradient, add(gradientNorm, 1e-6)));
      trained.forEach((spec, i) => {
        optimizer.apply(spec, factor ? mul(grads[i]!, factor) : grads[i]!, values);
      });
      return { ...outputs, loss: identity(value), gradientNorm };
    },
  });

  return {
    options: resolved,
    trained: trained.map(({ name }) => name),
    drawDropPath: (uniform) => (dropPath > 0 ? drawMasks(rows, batch, uniform) : undefined),
    async run(given) {
      checkInputs(inputs, given);
      const { images, labels, dropPathMasks, learningRate, weightDecay } = given;
      const outputs = await counted(
        optimizer,
        moving,
        compiled.run({
          images,
          labels,
          ...(dropPathMasks && { dropPathMasks }),
          ...optimizer.scalars({ learningRate, weightDecay }, moving),
        }),
      );
      const { loss, gradientNorm, crossEntropy, dice, reference, logits } = outputs;
      return {
        loss: loss![0]!,
        gradientNorm: gradientNorm![0]!,
        ...(crossEntropy && { crossEntropy: crossEntropy[0]! }),
        ...(dice && { dice: dice.map((value, i) => (reference![i]! > 0 ? value : Number.NaN)) }),
        ...(logits && { logits }),
      };
    },
    dispose: () => compiled.dispose(),
  };
}

function resolve(model: DownstreamConfig, options: FineTuneStepOptions): Required<FineTuneStepOptions> {
  const { problem } = options;
  if (problem.task !== model.task)
    throw new UnimissError('internal', `a network for ${model.task} cannot learn ${problem.task}`, {
      place: 'problem',
    });
  if (problem.task === 'segmentation' && problem.labels === 'overlapping' && model.outputs > 30)
    throw new UnimissError('config', `there are ${model.outputs} overlapping classes, but at most 30 are possible`, {
      place: 'labels',
      remedy: 'Choose fewer classes, or make them exclusive.',
    });
  const { backbone, modality } = model;
  return {
    problem,
    batch: options.batch,
    size: options.size ?? (modality === '2D' ? backbone.size2D : backbone.size3D),
    executor: options.executor ?? 'graph',
    frozen: options.frozen ?? 'none',
    clipGradient: options.clipGradient ?? Number.POSITIVE_INFINITY,
    dropPath: options.dropPath ?? 0,
  };
}

function labelShape(model: DownstreamConfig, problem: Problem, batch: number, size: readonly number[]): number[] {
  if (problem.task === 'segmentation') return [batch, ...size];
  return problem.labels === 'exclusive' ? [batch] : [batch, model.outputs];
}

/** @throws UnimissError naming the input that cannot be */
function checkInputs(shapes: Readonly<Record<string, StepInput>>, inputs: FineTuneStepInputs): void {
  for (const name of ['images', 'labels', 'dropPathMasks'] as const) {
    const expected = shapes[name]?.shape.reduce((all, n) => all * n, 1) ?? 0;
    const length = inputs[name]?.length ?? 0;
    if (length !== expected)
      throw new UnimissError('internal', `has ${length} values, not ${expected}`, {
        place: `input "${name}" of the fine-tuning step`,
      });
  }
}
