import { scalar, type Tensor } from '@tensorflow/tfjs-core';
import { controlled, rawOp } from '../../engine/index.ts';
import { differentiable } from './differentiable.ts';
import { add, hasFusedOps, mean, mul, sub, sumRows } from './math.ts';

export interface NormParameters {
  /** gain γ, [C] */
  readonly weight: Tensor;
  /** shift β, [C] */
  readonly bias: Tensor;
}

/** x̂ = (x − μ) / σ with σ = √(var + ε) over the last axis; x [R, C] → x̂ [R, C] and 1/σ [R, 1]. */
export function standardize(x: Tensor, epsilon: number): { normal: Tensor; inverseDeviation: Tensor } {
  const centered = sub(x, mean(x, [1]));
  const variance = mean(rawOp('Square', [centered]), [1]);
  const inverseDeviation = rawOp('Rsqrt', [add(variance, scalar(epsilon))]);
  return { normal: mul(centered, inverseDeviation), inverseDeviation };
}

/** dx = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂)) / σ, the gradient of `standardize`. */
export function standardizeGradient(dNormal: Tensor, normal: Tensor, inverseDeviation: Tensor): Tensor {
  const along = mul(normal, mean(mul(dNormal, normal), [1]));
  return mul(sub(sub(dNormal, mean(dNormal, [1])), along), inverseDeviation);
}

/** γ x̂ + β without gradient, in one op where it exists. */
export function normalizeRows(x: Tensor, { weight, bias }: NormParameters, epsilon: number): Tensor {
  if (hasFusedOps()) return rawOp('_MklLayerNorm', [x, weight, bias], { epsilon: { float: epsilon } });
  return add(mul(standardize(x, epsilon).normal, weight), bias);
}

/**
 * LayerNorm (Ba et al. 2016): y = γ x̂ + β over the channels of rows x [R, C].
 * Gradient: dγ = Σ dy x̂, dβ = Σ dy, dx̂ = γ dy, then `standardizeGradient`; x̂ is computed again from x.
 */
export function layerNorm(x: Tensor, norm: NormParameters, epsilon: number): Tensor {
  return differentiable(
    [x, norm.weight, norm.bias],
    (save) => {
      save(x, norm.weight);
      return normalizeRows(x, norm, epsilon);
    },
    (dy, [x, weight]) => {
      const { normal, inverseDeviation } = controlled([dy], () => standardize(x!, epsilon));
      return [standardizeGradient(mul(dy, weight!), normal, inverseDeviation), sumRows(mul(dy, normal)), sumRows(dy)];
    },
  );
}
