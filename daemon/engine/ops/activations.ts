import type { Tensor } from '@tensorflow/tfjs-core';
import { rawOp } from '../rawOp.ts';
import { add, erf, exp, mul } from './arithmetic.ts';

/** Activations. They have no gradient, as arithmetic.ts says. If the gradient is an op, it follows its function. */

/** LeakyReLU: x where x > 0, else slope · x. */
export function leakyRelu(x: Tensor, slope: number): Tensor {
  return rawOp('LeakyRelu', [x], { alpha: { float: slope } });
}

/** The gradient of `leakyRelu`: dy where y > 0, else slope · dy. @param y the function's input, or (of the same sign) its result */
export function leakyReluGradient(dy: Tensor, y: Tensor, slope: number): Tensor {
  return rawOp('LeakyReluGrad', [dy, y], { alpha: { float: slope } });
}

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  return rawOp('Softmax', [x]);
}

/** The logarithm of `softmax`. @param x [R, C] */
export function logSoftmax(x: Tensor): Tensor {
  return rawOp('LogSoftmax', [x]);
}

/** 1 / (1 + e⁻ˣ) */
export function sigmoid(x: Tensor): Tensor {
  return rawOp('Sigmoid', [x]);
}

/** log(1 + eˣ) */
export function softplus(x: Tensor): Tensor {
  return rawOp('Softplus', [x]);
}

/** Φ(x), the standard normal distribution. */
function normalDistribution(x: Tensor): Tensor {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
}

/**
 * GELU(x) = x Φ(x) and its slope Φ(x) + x φ(x) (Hendrycks and Gimpel 2016, the exact form), both in the shape of x. The slope is
 * computed on request.
 */
export function gelu(x: Tensor): { value: Tensor; slope: () => Tensor } {
  const distribution = normalDistribution(x);
  const slope = () => {
    const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return add(distribution, mul(x, density));
  };
  return { value: mul(x, distribution), slope };
}
