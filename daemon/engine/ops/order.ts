import type { Tensor } from '@tensorflow/tfjs-core';
import { controlled, rawOp } from '../rawOp.ts';

/** The order of execution within a step, where data alone does not decide it. Eagerly the order is that of the calls. */

/** A tensor of the same value and memory, of its own life in JavaScript. */
export function identity(x: Tensor): Tensor {
  return rawOp('Identity', [x]);
}

/**
 * The same value, but only once `first` are known: whatever depends on the result waits for them. So an activation that is computed
 * again in the backward pass takes memory no earlier than that (`optimization_barrier` in StableHLO).
 */
export function after(first: readonly Tensor[], value: Tensor): Tensor {
  return controlled(first, () => identity(value));
}
