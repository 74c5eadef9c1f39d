import type { Modality } from '../../../protocol/modality.ts';
import { follow } from '../../engine/index.ts';
import { after, identity, keep, mul, sqrt, stack, sum, type Tensor, valueAndGrads } from '../../engine/ops/index.ts';
import { total } from '../../model/ops/total.ts';
import type { Weights } from '../../model/weights.ts';
import { type Branch, stochasticDepth } from '../dropPath.ts';
import { clip } from '../optimizers/clip.ts';
import { trainedBy } from '../parameters/groups.ts';
import { type Outputs, pairLoss, terms } from './loss.ts';
import { run } from './networks.ts';
import type { PretrainState } from './state.ts';

function lookup(names: readonly string[], tensors: readonly Tensor[]): Weights {
  const byName = new Map(names.map((name, i) => [name, tensors[i]!]));
  return (name) => {
    const tensor = byName.get(name);
    if (!tensor) throw new Error(`${name} is not part of this pass`);
    return tensor;
  };
}

export function teacherPass(state: PretrainState, phase: Modality, views: Tensor): Outputs {
  return run({ config: state.config, weights: state.teacher.weights() }, phase, views).outputs;
}

export interface StudentResult {
  readonly loss: Tensor;
  /** In the order of `terms[phase]`. */
  readonly terms: readonly Tensor[];
  /** [2B, featureLength] */
  readonly features: Tensor;
  /** In the order of the trained parameters. */
  readonly gradients: readonly Tensor[];
}

/**
 * Student forward, loss and backward. Begins when the targets exist, so that only one network at a time needs memory.
 * @param targets the teacher's probabilities for each term, [2B, out]
 */
export function studentPass(
  state: PretrainState,
  phase: Modality,
  views: Tensor,
  targets: readonly Tensor[],
  options: { temperature: number; branches: readonly Branch[]; masks?: Tensor },
): StudentResult {
  const trained = trainedBy(phase, state.student.specs);
  const names = trained.map(({ name }) => name);
  const { masks } = options;
  const count = views.shape[0]!;
  const depth = (modality: Modality) => {
    const slices = phase === '3D' && modality === '2D';
    const samples = slices ? count * views.shape[1]! : count;
    return stochasticDepth(options.branches, masks!, slices ? count : 0, samples);
  };
  const gated = after(targets, views);
  const kept: Tensor[] = [];
  const { value, grads } = valueAndGrads((...tensors: Tensor[]) => {
    const weights = lookup(names, tensors);
    const { outputs, features } = run(
      { config: state.config, weights, ...(masks && { stochasticDepth: depth }) },
      phase,
      gated,
    );
    const losses = terms[phase].map((term, i) => pairLoss(outputs[term.student]!, targets[i]!, options.temperature));
    kept.push(...[features, ...losses].map((tensor) => keep(tensor)));
    return total(losses);
  })(names.map((name) => state.student.variable(name).read()));
  const loss = identity(value);
  const [features, ...losses] = kept.map((tensor) => identity(tensor)) as [Tensor, ...Tensor[]];
  for (const tensor of kept) tensor.dispose();
  return { loss, terms: losses, features, gradients: grads };
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
