import type { Tensor } from '@tensorflow/tfjs-core';
import type { Attrs } from '../attributes.ts';
import { rawOp } from '../rawOp.ts';
import { ints } from './constants.ts';

/**
 * Convolutions in two or three dimensions, without padding, and their gradients. Pad the input first (`pad`): with built-in
 * padding, oneDNN does not handle the gradient by the input.
 *
 * Shapes: x [B, …, C], kernel [k, …, C, C'], y [B, …', C'], one stride per spatial axis.
 */

function attrsOf(strides: readonly number[]): Attrs {
  return { strides: { ints: [1, ...strides, 1] }, padding: { string: 'VALID' } };
}

/** y = x ∗ kernel */
export function convolution(x: Tensor, kernel: Tensor, strides: readonly number[]): Tensor {
  return rawOp(strides.length === 2 ? 'Conv2D' : 'Conv3D', [x, kernel], attrsOf(strides));
}

/** The gradient of `convolution` by x. */
export function convolutionInputGradient(x: Tensor, kernel: Tensor, dy: Tensor, strides: readonly number[]): Tensor {
  const type = strides.length === 2 ? 'Conv2DBackpropInput' : 'Conv3DBackpropInputV2';
  return rawOp(type, [ints(x.shape), kernel, dy], attrsOf(strides), { shape: x.shape });
}

/** The gradient of `convolution` by its kernel. */
export function convolutionKernelGradient(x: Tensor, kernel: Tensor, dy: Tensor, strides: readonly number[]): Tensor {
  const type = strides.length === 2 ? 'Conv2DBackpropFilter' : 'Conv3DBackpropFilterV2';
  return rawOp(type, [x, ints(kernel.shape), dy], attrsOf(strides), { shape: kernel.shape });
}
