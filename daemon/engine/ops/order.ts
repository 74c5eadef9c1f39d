import type { Tensor } from '@tensorflow/tfjs-core';
import { controlled, rawOp } from '../rawOp.ts';

/** The order of execution within a step, if data alone does not decide it. In eager execution, calls decide the order. */

/** A tensor with the same value and memory, but its own lifetime in JavaScript. */
export function identity(x: Tensor): Tensor {
  return rawOp('Identity', [x]);
}

/**
 * The same value, but only once `first` are known: everything that depends on the result waits for them. Thus an activation that
 * is recomputed in the backward pass takes no memory before then (`optimization_barrier` in StableHLO).
 */
export function after(first: readonly Tensor[], value: Tensor): Tensor {
  return controlled(first, () => identity(value));
}
