import type { Tensor } from '@tensorflow/tfjs-core';
import { rawOp } from '../rawOp.ts';
import { ints, scalar } from './constants.ts';

/** Sums and means. They have no gradient, as arithmetic.ts says. */

const allAxes = (x: Tensor) => x.shape.map((_, axis) => axis);

/** Sum over `axes`; default: all. With `keepDims`, they stay with length 1. */
export function sum(x: Tensor, axes: readonly number[] = allAxes(x), keepDims = false): Tensor {
  return rawOp('Sum', [x, ints(axes)], { keep_dims: { bool: keepDims } });
}

/** Mean over `axes`. With `keepDims`, they stay with length 1. */
export function mean(x: Tensor, axes: readonly number[], keepDims = false): Tensor {
  return rawOp('Mean', [x, ints(axes)], { keep_dims: { bool: keepDims } });
}

/** The sum of rows, [R, C] → [C]. */
export function sumRows(x: Tensor): Tensor {
  return sum(x, [0]);
}

/** The Euclidean norm of all elements, []. L2Loss is half the sum of squares, without a temporary. */
export function norm(x: Tensor): Tensor {
  return rawOp('Sqrt', [rawOp('Mul', [rawOp('L2Loss', [x]), scalar(2)])]);
}
