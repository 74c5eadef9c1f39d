import {
  type Tensor,
  concat as tfConcat,
  reshape as tfReshape,
  slice as tfSlice,
  split as tfSplit,
} from '@tensorflow/tfjs-core';
import { rawOp } from '../rawOp.ts';
import { ints, scalar } from './constants.ts';

/**
 * The arrangement of elements. TensorFlow.js differentiates the first four (`reshape`, `concat`, `split`, `slice`), so they are
 * allowed everywhere; the others have no gradient, as arithmetic.ts says.
 */

/** The same elements in C order in another shape; one length may be −1, which stands for the rest. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return tfReshape(x, [...shape]);
}

/** Joins tensors along `axis`; their other lengths are equal. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  return tfConcat([...tensors], axis);
}

/** Cuts `x` along axis 0 into parts of the given lengths. The gradient is one concatenation. */
export function split<N extends readonly number[]>(x: Tensor, lengths: N): { [I in keyof N]: Tensor } {
  return tfSplit(x, [...lengths], 0) as { [I in keyof N]: Tensor };
}

/** The part of `x` that begins at `begin` and has the shape `size`. Along axis 0 alone it shares the memory of `x`. */
export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  return tfSlice(x, [...begin], [...size]);
}

/** `length` elements of axis 0 from `begin` on; shares the memory of `x`. */
export function rows(x: Tensor, begin: number, length: number): Tensor {
  const rest = x.shape.slice(1);
  return slice(x, [begin, ...rest.map(() => 0)], [length, ...rest]);
}

/** Moves axis `order[i]` to place i. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  return rawOp('Transpose', [x, ints(order)]);
}

/** Zeros around `x`: `padding[axis]` = [before, after]. PadV2, since Pad keeps grappler from improving convolutions. */
export function pad(x: Tensor, padding: readonly (readonly [number, number])[]): Tensor {
  return rawOp('PadV2', [x, reshape(ints(padding.flat()), [padding.length, 2]), scalar(0)]);
}

/** `x` repeated `times[axis]` times along each axis. */
export function tile(x: Tensor, times: readonly number[]): Tensor {
  return rawOp('Tile', [x, ints(times)]);
}

/** Tensors of one shape along a new first axis: n of […] → [n, …]. */
export function stack(tensors: readonly Tensor[]): Tensor {
  return rawOp('Pack', [tensors]);
}
