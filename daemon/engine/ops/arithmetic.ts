import type { Tensor } from '@tensorflow/tfjs-core';
import { rawOp } from '../rawOp.ts';
import { scalar } from './constants.ts';

/**
 * Element-wise arithmetic on float32 tensors. The operands of a binary op broadcast as in NumPy; a number stands for a scalar.
 * These ops have no gradient: use them inside `differentiable`, or on tensors without gradients.
 */

type Operand = Tensor | number;

function operand(x: Operand): Tensor {
  return typeof x === 'number' ? scalar(x) : x;
}

/** a + b */
export function add(a: Operand, b: Operand): Tensor {
  return rawOp('AddV2', [operand(a), operand(b)]);
}

/** a − b */
export function sub(a: Operand, b: Operand): Tensor {
  return rawOp('Sub', [operand(a), operand(b)]);
}

/** a · b */
export function mul(a: Operand, b: Operand): Tensor {
  return rawOp('Mul', [operand(a), operand(b)]);
}

/** a / b */
export function div(a: Operand, b: Operand): Tensor {
  return rawOp('RealDiv', [operand(a), operand(b)]);
}

/** The smaller of a and b. */
export function minimum(a: Operand, b: Operand): Tensor {
  return rawOp('Minimum', [operand(a), operand(b)]);
}

/** The larger of a and b. */
export function maximum(a: Operand, b: Operand): Tensor {
  return rawOp('Maximum', [operand(a), operand(b)]);
}

/** −x */
export function neg(x: Tensor): Tensor {
  return rawOp('Neg', [x]);
}

/** x² */
export function square(x: Tensor): Tensor {
  return rawOp('Square', [x]);
}

/** √x */
export function sqrt(x: Tensor): Tensor {
  return rawOp('Sqrt', [x]);
}

/** 1 / √x */
export function rsqrt(x: Tensor): Tensor {
  return rawOp('Rsqrt', [x]);
}

/** 1 / x */
export function reciprocal(x: Tensor): Tensor {
  return rawOp('Reciprocal', [x]);
}

/** eˣ */
export function exp(x: Tensor): Tensor {
  return rawOp('Exp', [x]);
}

/** The natural logarithm. */
export function log(x: Tensor): Tensor {
  return rawOp('Log', [x]);
}

/** The error function, 2/√π ∫₀ˣ exp(−t²) dt. */
export function erf(x: Tensor): Tensor {
  return rawOp('Erf', [x]);
}

/** Zeros in the shape of x, once x is known. */
export function zerosLike(x: Tensor): Tensor {
  return rawOp('ZerosLike', [x]);
}
