import { customGrad, type Tensor } from '@tensorflow/tfjs-core';
import { identity } from './order.ts';

/** Of TensorFlow.js's automatic differentiation, what a model and its training step need. Import these from here. */
export { keep, type Tensor, valueAndGrads } from '@tensorflow/tfjs-core';

/**
 * An operation with a hand-written gradient. Inside `forward` and `backward` nothing is recorded for automatic differentiation, so
 * every op may stand there.
 * @param inputs the tensors that the result is differentiated by; everything else comes in through the closures
 * @param forward makes the result, and saves what the gradient needs beside its own constants
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
    // TensorFlow.js tells results from inputs by their ids: an input that is the result would get its gradient twice.
    return { value: inputs.includes(value) ? identity(value) : value, gradFunc: backward };
  });
  return op(...inputs);
}
