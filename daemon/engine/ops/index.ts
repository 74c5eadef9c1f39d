/**
 * Every op that models and training steps use, by topic. Only these files name ops of TensorFlow. Another engine must implement
 * these, the updates of stateOps.ts, and the ops that TensorFlow.js adds when it differentiates the four recorded ones of
 * shapes.ts.
 */
export { gelu, leakyRelu, leakyReluGradient, logSoftmax, sigmoid, softmax, softplus } from './activations.ts';
export {
  add,
  div,
  erf,
  exp,
  log,
  maximum,
  minimum,
  mul,
  neg,
  reciprocal,
  rsqrt,
  sqrt,
  square,
  sub,
  zerosLike,
} from './arithmetic.ts';
export { differentiable, keep, type Tensor, valueAndGrads } from './autodiff.ts';
export { constant, scalar } from './constants.ts';
export { convolution, convolutionInputGradient, convolutionKernelGradient } from './convolution.ts';
export {
  argMax,
  atLeast,
  bits,
  everyNth,
  flatIndices,
  gather,
  isAtLeast,
  oneHot,
  scatterAdd,
  sumByLabel,
} from './labels.ts';
export {
  center,
  type NormParameters,
  normalizeRows,
  type Standardized,
  standardize,
  standardizeGradient,
} from './norms.ts';
export { after, identity } from './order.ts';
export { batchMatMul, type DenseOptions, dense, exactBatchMatMul, exactMatMul, matMul } from './products.ts';
export { mean, norm, sum, sumRows } from './reductions.ts';
export { resizeLinear, resizeLinearGradient } from './resize.ts';
export { concat, pad, reshape, rows, slice, split, stack, tile, transpose } from './shapes.ts';
