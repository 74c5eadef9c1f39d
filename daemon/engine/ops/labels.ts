import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { rawOp } from '../rawOp.ts';
import { ints } from './constants.ts';

/** Labels as int32 tensors, and how they meet float32 tensors. They have no gradient, as arithmetic.ts says. */

function intScalar(value: number): Tensor {
  return tensor(value, [], 'int32');
}

/** max(x, value), int32 */
export function atLeast(x: Tensor, value: number): Tensor {
  return rawOp('Maximum', [x, intScalar(value)]);
}

/** 1 where x ≥ value, else 0: int32 → float32 in the shape of x. */
export function isAtLeast(x: Tensor, value: number): Tensor {
  const is = rawOp('GreaterEqual', [x, intScalar(value)]);
  return rawOp('Cast', [is], { DstT: { type: 'float32' }, SrcT: { type: 'bool' } });
}

/** The column of the largest value of each row: float32 [n, K] → int32 [n]. */
export function argMax(x: Tensor): Tensor {
  return rawOp('ArgMax', [x, intScalar(1)], { output_type: { type: 'int32' } });
}

/** The bits 0 … count − 1 of x [n] as 0 or 1, float32 [n, count]. */
export function bits(x: Tensor, count: number): Tensor {
  const masks = tensor(
    Array.from({ length: count }, (_, bit) => 1 << bit),
    [1, count],
    'int32',
  );
  const column = rawOp('Reshape', [x, ints([x.size, 1])]);
  const set = rawOp('NotEqual', [rawOp('BitwiseAnd', [column, masks]), intScalar(0)]);
  return rawOp('Cast', [set], { DstT: { type: 'float32' }, SrcT: { type: 'bool' } });
}

/** Where labels [n] point in rows [n, K] that are laid out flat: row · K + label, int32 [n]. */
export function flatIndices(labels: Tensor, columns: number): Tensor {
  const starts = rawOp('Range', [intScalar(0), intScalar(labels.size * columns), intScalar(columns)]);
  return rawOp('AddV2', [starts, labels]);
}

/** Elements of x [n] at `indices` [m] → [m]. */
export function gather(x: Tensor, indices: Tensor): Tensor {
  return rawOp('GatherV2', [x, indices, intScalar(0)]);
}

/** x [n] with `values` [m] added at `indices` [m]; in place where nobody else needs x. */
export function scatterAdd(x: Tensor, indices: Tensor, values: Tensor): Tensor {
  const column = rawOp('Reshape', [indices, ints([indices.size, 1])]);
  return rawOp('TensorScatterAdd', [x, column, values]);
}

/** The sums of `values` [n] by their label, [count]; labels lie in 0 … count − 1. */
export function sumByLabel(values: Tensor, labels: Tensor, count: number): Tensor {
  return rawOp('UnsortedSegmentSum', [values, labels, intScalar(count)]);
}

/** 1 in the column of each label, else 0: labels int32 [n] → float32 [n, count]. */
export function oneHot(labels: Tensor, count: number): Tensor {
  return rawOp('OneHot', [labels, intScalar(count), tensor(1, [], 'float32'), tensor(0, [], 'float32')]);
}

/** Every `steps[axis]`-th element of x along each axis, from `begin[axis]` on. */
export function everyNth(x: Tensor, begin: readonly number[], steps: readonly number[]): Tensor {
  return rawOp('StridedSlice', [x, ints(begin), ints(x.shape), ints(steps)], {});
}
