import type { Effect } from '../../engine/index.ts';
import type { Tensor } from '../../engine/ops/index.ts';
import type { ParameterSpec } from '../../model/parameters.ts';
import type { ParameterSet } from '../parameters/parameterSet.ts';

/** How an optimiser groups the parameters that it moves. */
export interface Grouping<Group extends string> {
  readonly groups: readonly Group[];
  groupOf(spec: ParameterSpec): Group;
  /** Factors of the learning rate; 1 by default. */
  readonly rateFactors?: Partial<Readonly<Record<Group, number>>>;
}

/** Moves a network's parameters by their gradients. Each group of parameters may rest. */
export interface Optimizer<Group extends string, Rates> {
  /** Names of the scalar inputs of a compiled step for `apply`. */
  readonly inputs: readonly string[];
  /** Number of updates of each group so far; part of a checkpoint. */
  readonly counts: Record<Group, number>;
  /** Its state for each parameter; part of a checkpoint. */
  readonly slots: readonly ParameterSet[];
  /** Values of `inputs` for the next update. @param moving groups that move in it; the others rest */
  scalars(rates: Rates, moving: ReadonlySet<Group>): Record<string, number>;
  /**
   * Moves one parameter in place. Called for each as its gradient arrives, so that no gradient waits for the others.
   * @param inputs by the names of `inputs`, [] each
   * @returns the update, for which a read of the parameter in the same step waits
   */
  apply(spec: ParameterSpec, gradient: Tensor, inputs: Readonly<Record<string, Tensor>>): Effect;
  dispose(): void;
}

/** Counts an update that was begun, so that the next one can be prepared while it computes; one that fails does not count. */
export async function counted<Group extends string, T>(
  { counts }: Pick<Optimizer<Group, never>, 'counts'>,
  moving: ReadonlySet<Group>,
  update: Promise<T>,
): Promise<T> {
  const count = (by: 1 | -1) => {
    for (const group of moving) counts[group] += by;
  };
  count(1);
  try {
    return await update;
  } catch (error) {
    count(-1);
    throw error;
  }
}
