import type { Effect } from '../../engine/index.ts';
import type { Tensor } from '../../engine/ops/index.ts';
import type { ParameterSpec } from '../../model/parameters.ts';
import type { ParameterSet } from '../parameters/parameterSet.ts';

/** What moves a network's parameters by their gradients. Its groups of parameters may rest on their own. */
export interface Optimizer<Group extends string, Rates> {
  /** Names of the scalars that a compiled step takes for `apply`. */
  readonly inputs: readonly string[];
  /** Updates that each group has had; part of a checkpoint. */
  readonly counts: Record<Group, number>;
  /** What it keeps for each parameter; part of a checkpoint. */
  readonly slots: readonly ParameterSet[];
  /** Values of `inputs` for one more update. @param moving groups that move in it; the others rest */
  scalars(rates: Rates, moving: ReadonlySet<Group>): Record<string, number>;
  /**
   * Moves one parameter in place. Called for each as its gradient comes in, so that no gradient waits for the others.
   * @param inputs by the names of `inputs`, [] each
   * @returns the update, which a read of the parameter in the same step waits for
   */
  apply(spec: ParameterSpec, gradient: Tensor, inputs: Readonly<Record<string, Tensor>>): Effect;
  /** Counts an update that was done. */
  count(moving: ReadonlySet<Group>): void;
  dispose(): void;
}
