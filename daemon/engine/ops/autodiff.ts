import { customGrad, type Tensor } from '@tensorflow/tfjs-core';
import { identity } from './order.ts';

/** The parts of TensorFlow.js's automatic differentiation that a model and its training step need. Import them from here. */
export { keep, type Tensor, valueAndGrads } from '@tensorflow/tfjs-core';

/**
 * An operation with a hand-written gradient. Automatic differentiation records nothing inside `forward` and `backward`, so every
 * op is allowed there.
 * @param inputs the tensors to differentiate by; everything else comes through closures
 * @param forward makes the result, and saves what the gradient needs besides its own constants
 * @param backward maps the gradient of the result and the saved tensors to the gradients of `inputs`, in their order
 */
export function differentiable(
  inputs: readonly Tensor[],
  forward: (save: (...tensors: Tensor[]) => void) => Tensor,
  backward: (dy: Tensor, saved: Tensor[]) => Tensor[],
): Tensor {
  const op = customGrad((...args) => {
    const save = args[args.length - 1] as unknown as (tensors: Tensor[]) => void;
    const value = forward((...tensors) => save(tensors));
    // TensorFlow.js distinguishes results from inputs by their ids: an input that is also the result would get its gradient
    // twice.
    return { value: inputs.includes(value) ? identity(value) : value, gradFunc: backward };
  });
  return op(...inputs);
}
