import { UnimissError } from '../../../protocol/errors.ts';
import { type Effect, type Engine, momentum } from '../../engine/index.ts';
import { add, mul, type Tensor } from '../../engine/ops/index.ts';
import type { ParameterSpec } from '../../model/parameters.ts';
import { ParameterSet } from '../parameters/parameterSet.ts';
import type { Grouping, Optimizer } from './optimizer.ts';

/** What the schedules say for an update. */
export interface SgdRates {
  readonly learningRate: number;
  /** L2: the gradient of ½ decay ‖p‖² is added to the loss's, as nnU-Net has it. */
  readonly weightDecay: number;
  readonly momentum: number;
}

const sgdInputs = ['rate', 'momentum', 'gain', 'decay'] as const;
type SgdInput = (typeof sgdInputs)[number];

/**
 * Gradient descent with Nesterov's momentum, as PyTorch has it: g ← g + decay p, v ← m v + g, p ← p − rate (g + m v). Groups of
 * parameters have learning rates of their own, and may rest.
 */
export class Sgd<Group extends string> implements Optimizer<Group, SgdRates> {
  readonly inputs: readonly string[];
  readonly counts: Record<Group, number>;
  readonly slots: readonly [velocity: ParameterSet];

  /** @param specs the parameters that it moves */
  constructor(
    engine: Engine,
    private readonly weights: ParameterSet,
    private readonly grouping: Grouping<Group>,
    specs = weights.learning,
  ) {
    const { groups } = grouping;
    this.inputs = groups.flatMap((group) => sgdInputs.map((input) => `${group}.${input}`));
    this.counts = Object.fromEntries(groups.map((group) => [group, 0])) as Record<Group, number>;
    this.slots = [ParameterSet.create(engine, 'momentum_buffer', specs)];
  }

  scalars(rates: SgdRates, moving: ReadonlySet<Group>): Record<string, number> {
    const entries = this.grouping.groups.flatMap((group) => {
      const scalars: Record<SgdInput, number> = moving.has(group)
        ? {
            rate: rates.learningRate * (this.grouping.rateFactors?.[group] ?? 1),
            momentum: rates.momentum,
            gain: 1,
            decay: rates.weightDecay,
          }
        : { rate: 0, momentum: 1, gain: 0, decay: 0 };
      return sgdInputs.map((input) => [`${group}.${input}`, scalars[input]] as const);
    });
    return Object.fromEntries(entries);
  }

  apply(spec: ParameterSpec, gradient: Tensor, inputs: Readonly<Record<string, Tensor>>): Effect {
    const group = this.grouping.groupOf(spec);
    const input = (name: SgdInput): Tensor => {
      const tensor = inputs[`${group}.${name}`];
      if (tensor) return tensor;
      throw new UnimissError('internal', `has no input "${group}.${name}"`, { place: 'update' });
    };
    const value = this.weights.variable(spec.name);
    const own = mul(gradient, input('gain'));
    const all = spec.decays ? add(own, mul(value.read(), input('decay'))) : own;
    const [velocity] = this.slots;
    const scalars = { rate: input('rate'), momentum: input('momentum') };
    return momentum(value, velocity.variable(spec.name), all, scalars, true);
  }

  dispose(): void {
    for (const slot of this.slots) slot.dispose();
  }
}
