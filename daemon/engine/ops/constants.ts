import { type Tensor, tensor, tensor1d, scalar as tfScalar } from '@tensorflow/tfjs-core';

/** Tensors of fixed values. In a traced step they are constants. */

/** A float32 scalar, []. */
export function scalar(value: number): Tensor {
  return tfScalar(value);
}

/** A float32 tensor of any shape, from values in C order. */
export function constant(values: Float32Array, shape: readonly number[]): Tensor {
  return tensor(values, [...shape], 'float32');
}

/** An int32 vector [n], for an op's axes or sizes. */
export function ints(values: readonly number[]): Tensor {
  return tensor1d([...values], 'int32');
}
