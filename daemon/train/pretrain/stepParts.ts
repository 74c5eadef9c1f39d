import { add, keep, mul, sqrt, stack, sum, type Tensor, valueAndGrads } from '@tensorflow/tfjs-core';
import type { Modality } from '../../../protocol/modality.ts';
import { controlled, rawOp, type Variable } from '../../engine/index.ts';
import { belongsToVolumes, decays, lastLayerDirection } from '../../model/parameters.ts';
import type { Weights } from '../../model/weights.ts';
import { type AdamInputs, adamInputs, adamW, clip, follow } from '../optimizer.ts';
import { type Branch, stochasticDepth } from './dropPath.ts';
import { type Outputs, pairLoss, terms } from './loss.ts';
import { run } from './networks.ts';
import type { PretrainState, TrainedParameter } from './state.ts';
import type { AdamCounts } from './types.ts';

/** Parameters that Adam counts together. */
export type Group = keyof AdamCounts;
export const groups = ['shared', 'volume', 'lastLayer'] as const satisfies readonly Group[];

export function groupOf({ spec }: TrainedParameter): Group {
  if (spec.name === lastLayerDirection) return 'lastLayer';
  return belongsToVolumes(spec.name) ? 'volume' : 'shared';
}

/** The parameters that a phase trains: pictures leave those of volumes alone. */
export function trainedIn(phase: Modality, { parameters }: PretrainState): TrainedParameter[] {
  return parameters.filter(({ spec }) => phase === '3D' || !belongsToVolumes(spec.name));
}

function lookup(names: readonly string[], tensors: readonly Tensor[]): Weights {
  const byName = new Map(names.map((name, i) => [name, tensors[i]!]));
  return (name) => {
    const tensor = byName.get(name);
    if (!tensor) throw new Error(`${name} is not part of this pass`);
    return tensor;
  };
}

/** Values of variables, each read once. */
function reads(parameters: readonly TrainedParameter[], role: 'student' | 'teacher'): Weights {
  const variables = new Map(parameters.map((p) => [p.spec.name, p[role]]));
  const values = new Map<string, Tensor>();
  return (name) => {
    const value = values.get(name) ?? variables.get(name)!.read();
    values.set(name, value);
    return value;
  };
}

/** The same value, but only after `first` are there: what depends on it waits for them. */
function after(first: readonly Tensor[], value: Tensor): Tensor {
  return controlled(first, () => rawOp('Identity', [value]));
}

export function teacherPass(state: PretrainState, phase: Modality, views: Tensor): Outputs {
  return run({ config: state.config, weights: reads(state.parameters, 'teacher') }, phase, views).outputs;
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
 * Student forward, loss and backward; begins when the targets are there, so that memory serves one network at a time.
 * @param targets the teacher's probabilities for each term, [2B, out]
 */
export function studentPass(
  state: PretrainState,
  phase: Modality,
  views: Tensor,
  targets: readonly Tensor[],
  options: { temperature: number; branches: readonly Branch[]; masks?: Tensor },
): StudentResult {
  const trained = trainedIn(phase, state);
  const names = trained.map(({ spec }) => spec.name);
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
    return losses.reduce((a, b) => add(a, b));
  })(trained.map(({ student }) => student.read()));
  const loss = rawOp('Identity', [value]);
  const [features, ...losses] = kept.map((tensor) => rawOp('Identity', [tensor])) as [Tensor, ...Tensor[]];
  for (const tensor of kept) tensor.dispose();
  return { loss, terms: losses, features, gradients: grads };
}

/** Numbers of each group, as inputs of a compiled step. */
export function adamInputName(group: Group, input: (typeof adamInputs)[number]): string {
  return `${group}.${input}`;
}

function adamInputsOf(group: Group, inputs: Readonly<Record<string, Tensor>>): AdamInputs<Tensor> {
  const entries = adamInputs.map((input) => [input, inputs[adamInputName(group, input)]!] as const);
  return Object.fromEntries(entries) as unknown as AdamInputs<Tensor>;
}

/**
 * Clipping, AdamW and the teacher's average, parameter by parameter as gradients come in, all in place.
 * @param inputs the step's: `momentum` and the groups' numbers
 * @returns norms of the gradients before clipping [P], and of all of them together
 */
export function update(
  state: PretrainState,
  phase: Modality,
  gradients: readonly Tensor[],
  inputs: Readonly<Record<string, Tensor>>,
  clipGradient: number,
): { gradientNorms: Tensor; gradientNorm: Tensor } {
  const trained = trainedIn(phase, state);
  const byGroup = new Map(groups.map((group) => [group, adamInputsOf(group, inputs)]));
  const norms = trained.map((parameter, i) => {
    const { clipped, norm } = clip(gradients[i]!, clipGradient);
    const { student, exp_avg: firstMoment, exp_avg_sq: secondMoment, spec } = parameter;
    const variables: Record<'value' | 'firstMoment' | 'secondMoment', Variable> = {
      value: student,
      firstMoment,
      secondMoment,
    };
    const updated = adamW(variables, clipped, byGroup.get(groupOf(parameter))!, decays(spec));
    follow(
      parameter.teacher,
      controlled([updated], () => student.read()),
      inputs.momentum!,
    );
    return norm;
  });
  const resting = state.parameters.filter((parameter) => !trained.includes(parameter));
  for (const { teacher, student } of resting) follow(teacher, student.read(), inputs.momentum!);
  const gradientNorms = stack(norms);
  return { gradientNorms, gradientNorm: sqrt(sum(mul(gradientNorms, gradientNorms))) };
}
