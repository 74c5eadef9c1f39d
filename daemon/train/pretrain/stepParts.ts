import { UnimissError } from '../../../protocol/errors.ts';
import type { Modality } from '../../../protocol/modality.ts';
import { follow } from '../../engine/index.ts';
import {
  add,
  after,
  identity,
  keep,
  mul,
  sqrt,
  stack,
  sum,
  type Tensor,
  valueAndGrads,
} from '../../engine/ops/index.ts';
import { total } from '../../model/ops/total.ts';
import type { Weights } from '../../model/weights.ts';
import { stochasticDepth } from '../dropPath.ts';
import { clip } from '../optimizers/clip.ts';
import { trainedBy } from '../parameters/groups.ts';
import { koleoOf, weighted } from './koleo.ts';
import { type Outputs, pairLoss, terms } from './loss.ts';
import { run } from './networks.ts';
import type { PretrainState } from './state.ts';
import type { ResolvedOptions } from './stepInputs.ts';

function lookup(names: readonly string[], tensors: readonly Tensor[]): Weights {
  const byName = new Map(names.map((name, i) => [name, tensors[i]!]));
  return (name) => {
    const tensor = byName.get(name);
    if (tensor) return tensor;
    throw new UnimissError('internal', 'is a parameter that this pass does not have', { place: name });
  };
}

export function teacherPass(
  state: PretrainState,
  views: Tensor,
  { phase, sliceStride }: Pick<ResolvedOptions, 'phase' | 'sliceStride'>,
): Outputs {
  return run({ config: state.config, weights: state.teacher.weights() }, phase, views, sliceStride).outputs;
}

export interface StudentResult {
  readonly loss: Tensor;
  /** In the order of `terms[phase]`. */
  readonly terms: readonly Tensor[];
  /** KoLeo's regulariser, before it is weighted; absent without it. */
  readonly koleo?: Tensor;
  /** Of the views, and in 3D of their slices, [2B, featureLength] each. */
  readonly features: readonly [ofViews: Tensor, ofSlices?: Tensor];
  /** In the order of the trained parameters. */
  readonly gradients: readonly Tensor[];
}

/**
 * Student forward, loss and backward. Begins when the targets exist, so that only one network at a time needs memory.
 * @param targets the teacher's probabilities for each term, [2B, out]
 */
export function studentPass(
  state: PretrainState,
  views: Tensor,
  targets: readonly Tensor[],
  options: Pick<ResolvedOptions, 'phase' | 'branches' | 'studentTemperature' | 'koleo' | 'sliceStride'>,
  masks?: Tensor,
): StudentResult {
  const { phase, sliceStride, koleo } = options;
  const trained = trainedBy(phase, state.student.specs);
  const names = trained.map(({ name }) => name);
  const count = views.shape[0]!;
  const depth = (modality: Modality) => {
    const slices = phase === '3D' && modality === '2D';
    const samples = slices ? (count * views.shape[1]!) / sliceStride : count;
    return stochasticDepth(options.branches, masks!, slices ? count : 0, samples);
  };
  const gated = after(targets, views);
  const kept: Tensor[] = [];
  const { value, grads } = valueAndGrads((...tensors: Tensor[]) => {
    const weights = lookup(names, tensors);
    const { outputs, features, bottlenecks } = run(
      { config: state.config, weights, ...(masks && { stochasticDepth: depth }) },
      phase,
      gated,
      sliceStride,
    );
    const losses = terms[phase].map((term, i) =>
      pairLoss(outputs[term.student]!, targets[i]!, options.studentTemperature),
    );
    const spread = koleo > 0 ? weighted(koleoOf(phase, bottlenecks), koleo) : undefined;
    const shown = phase === '2D' ? [features.image!] : [features.volume!, features.slices!];
    kept.push(...[...shown, ...losses, ...(spread ? [spread] : [])].map((tensor) => keep(tensor)));
    return total(spread ? [...losses, spread] : losses);
  })(names.map((name) => state.student.variable(name).read()));
  const copies = kept.map((tensor) => identity(tensor));
  for (const tensor of kept) tensor.dispose();
  value.dispose();
  const first = phase === '2D' ? 1 : 2;
  const [ofViews, ofSlices] = copies.slice(0, first) as [Tensor, Tensor?];
  const losses = copies.slice(first, first + terms[phase].length);
  const spread = copies[first + terms[phase].length];
  return {
    // KoLeo is a term of the gradient, but not of the method's loss: runs with and without it stay comparable.
    loss: identity(losses.reduce((a, b) => add(a, b))),
    terms: losses,
    ...(spread && { koleo: mul(spread, 1 / koleo) }),
    features: ofSlices ? [ofViews, ofSlices] : [ofViews],
    gradients: grads,
  };
}

/**
 * Clipping, AdamW and the teacher's average, parameter by parameter as gradients arrive, all in place.
 * @param gradients in the order of the trained parameters
 * @param inputs inputs of the step: `momentum` and those of the optimiser
 * @returns norms of the gradients before clipping [P], and their joint norm
 */
export function update(
  { student, teacher, optimizer }: PretrainState,
  phase: Modality,
  gradients: readonly Tensor[],
  inputs: Readonly<Record<string, Tensor>>,
  clipGradient: number,
): { gradientNorms: Tensor; gradientNorm: Tensor } {
  const trained = trainedBy(phase, student.specs);
  const norms = trained.map((spec, i) => {
    const { clipped, norm } = clip(gradients[i]!, clipGradient);
    const updated = optimizer.apply(spec, clipped, inputs);
    follow(teacher.variable(spec.name), student.variable(spec.name).read([updated]), inputs.momentum!);
    return norm;
  });
  for (const { name } of student.learning.filter((spec) => !trained.includes(spec)))
    follow(teacher.variable(name), student.variable(name).read(), inputs.momentum!);
  const gradientNorms = stack(norms);
  return { gradientNorms, gradientNorm: sqrt(sum(mul(gradientNorms, gradientNorms))) };
}
