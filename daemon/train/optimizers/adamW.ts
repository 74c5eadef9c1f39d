import { UnimissError } from '../../../protocol/errors.ts';
import { type AdamVariables, adam, decay, type Effect, type Engine } from '../../engine/index.ts';
import type { Tensor } from '../../engine/ops/index.ts';
import type { ParameterSpec } from '../../model/parameters.ts';
import { ParameterSet } from '../parameters/parameterSet.ts';
import type { Grouping, Optimizer } from './optimizer.ts';

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** The scalars of one group of parameters for `adamW` in each step, made by `adamScalars`. */
export const adamInputs = ['stepSize', 'epsilon', 'decay', 'beta1', 'beta2'] as const;
export type AdamInputs<T> = Readonly<Record<(typeof adamInputs)[number], T>>;

/**
 * Adam's scalars for update `count` (from 1) of a group of parameters. TensorFlow adds ε before the bias correction, PyTorch (and
 * Kingma and Ba 2015, algorithm 1) after it:
 *
 *     α m̂ / (√v̂ + ε) = α √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε √(1 − β₂ᵗ))
 *
 * so this function converts step size and ε. With `frozen`, nothing moves: β = 1 keeps the moments, and step and decay are 0.
 */
export function adamScalars(
  { beta1, beta2, epsilon }: AdamOptions,
  update: { learningRate: number; weightDecay: number; count: number; frozen?: boolean },
): AdamInputs<number> {
  if (update.frozen) return { stepSize: 0, epsilon, decay: 0, beta1: 1, beta2: 1 };
  // The update uses betas rounded to float32. So must the correction, or 1 − β₂ would be off by 1e-5.
  const correction = Math.sqrt(1 - Math.fround(beta2) ** update.count);
  return {
    stepSize: (update.learningRate * correction) / (1 - Math.fround(beta1) ** update.count),
    epsilon: epsilon * correction,
    decay: update.learningRate * update.weightDecay,
    beta1,
    beta2,
  };
}

/**
 * AdamW (Loshchilov and Hutter 2019) in place: p ← (1 − decay) p, then p ← p − step · m / (√v + ε).
 * @param gradient in the shape of the parameter
 * @param inputs [] each
 * @param decays false for parameters without weight decay
 * @returns the update, for which a read of the parameter in the same step waits
 */
export function adamW(parameter: AdamVariables, gradient: Tensor, inputs: AdamInputs<Tensor>, decays: boolean): Effect {
  return adam(parameter, gradient, inputs, decays ? [decay(parameter.value, inputs.decay, gradient)] : []);
}

/** The values of the schedules for an update. */
export interface AdamRates extends AdamOptions {
  readonly learningRate: number;
  readonly weightDecay: number;
}

/**
 * AdamW over a network's weights. Each group of parameters has its own bias correction, and may rest. Its learning rate is that
 * of the schedule times its factor, 1 by default.
 */
export class AdamW<Group extends string> implements Optimizer<Group, AdamRates> {
  readonly inputs: readonly string[];
  readonly counts: Record<Group, number>;
  readonly slots: readonly [firstMoments: ParameterSet, secondMoments: ParameterSet];

  constructor(
    engine: Engine,
    private readonly weights: ParameterSet,
    private readonly grouping: Grouping<Group>,
    /** The parameters that it moves. */
    specs = weights.learning,
  ) {
    const { groups } = grouping;
    this.inputs = groups.flatMap((group) => adamInputs.map((input) => inputName(group, input)));
    this.counts = Object.fromEntries(groups.map((group) => [group, 0])) as Record<Group, number>;
    const moments = (role: string) => ParameterSet.create(engine, role, specs);
    this.slots = [moments('exp_avg'), moments('exp_avg_sq')];
  }

  scalars({ learningRate, weightDecay, ...options }: AdamRates, moving: ReadonlySet<Group>): Record<string, number> {
    const entries = this.grouping.groups.flatMap((group) => {
      const update = {
        learningRate: learningRate * (this.grouping.rateFactors?.[group] ?? 1),
        weightDecay,
        count: this.counts[group] + 1,
        frozen: !moving.has(group),
      };
      const scalars = adamScalars(options, update);
      return adamInputs.map((input) => [inputName(group, input), scalars[input]] as const);
    });
    return Object.fromEntries(entries);
  }

  apply(spec: ParameterSpec, gradient: Tensor, inputs: Readonly<Record<string, Tensor>>): Effect {
    const [firstMoments, secondMoments] = this.slots;
    const parameter = {
      value: this.weights.variable(spec.name),
      firstMoment: firstMoments.variable(spec.name),
      secondMoment: secondMoments.variable(spec.name),
    };
    return adamW(parameter, gradient, this.inputsOf(this.grouping.groupOf(spec), inputs), spec.decays);
  }

  dispose(): void {
    for (const slot of this.slots) slot.dispose();
  }

  private inputsOf(group: Group, inputs: Readonly<Record<string, Tensor>>): AdamInputs<Tensor> {
    const input = (name: (typeof adamInputs)[number]): Tensor => {
      const tensor = inputs[inputName(group, name)];
      if (tensor) return tensor;
      throw new UnimissError('internal', `has no input "${inputName(group, name)}"`, { place: 'update' });
    };
    return {
      stepSize: input('stepSize'),
      epsilon: input('epsilon'),
      decay: input('decay'),
      beta1: input('beta1'),
      beta2: input('beta2'),
    };
  }
}

function inputName(group: string, input: (typeof adamInputs)[number]): string {
  return `${group}.${input}`;
}
