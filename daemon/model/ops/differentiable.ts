import { customGrad, type Tensor } from '@tensorflow/tfjs-core';

/**
 * An operation with a hand-written gradient.
 * @param inputs what the result is differentiated by; anything else comes in through the closures
 * @param forward makes the result, and saves what the gradient wants beside its own constants
 * @param backward from the gradient of the result and the saved tensors to the gradients of `inputs`, in their order
 */
export function differentiable(
  inputs: readonly Tensor[],
  forward: (save: (...tensors: Tensor[]) => void) => Tensor,
  backward: (dy: Tensor, saved: Tensor[]) => Tensor[],
): Tensor {
  const op = customGrad((...args) => {
    const save = args[args.length - 1] as unknown as (tensors: Tensor[]) => void;
    return { value: forward((...tensors) => save(tensors)), gradFunc: backward };
  });
  return op(...inputs);
}
