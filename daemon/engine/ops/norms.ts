import type { Tensor } from '@tensorflow/tfjs-core';
import { rawOp } from '../rawOp.ts';
import { add, mul, rsqrt, square, sub } from './arithmetic.ts';
import { hasFusedOps } from './fused.ts';
import { mean } from './reductions.ts';

/** Normalisation. Its only gradient is `standardizeGradient`; see arithmetic.ts. */

export interface NormParameters {
  /** Gain γ, [C]. */
  readonly weight: Tensor;
  /** Shift β, [C]. */
  readonly bias: Tensor;
}

/** Values with mean 0 and variance 1 along axis 1, and what their gradient needs. */
export interface Standardized {
  /** x̂ = (x − μ) / σ, in the shape of x. */
  readonly normal: Tensor;
  /** 1 / σ with σ = √(var + ε), axis 1 of length 1. */
  readonly inverseDeviation: Tensor;
}

/** d = x − μ and 1/σ along axis 1, σ = √(var + ε): [R, C] → [R, C] and [R, 1], or [B, n, C] → [B, n, C] and [B, 1, C]. */
export function center(x: Tensor, epsilon: number): { centered: Tensor; inverseDeviation: Tensor } {
  const centered = sub(x, mean(x, [1], true));
  const variance = mean(square(centered), [1], true);
  return { centered, inverseDeviation: rsqrt(add(variance, epsilon)) };
}

/** x̂ = (x − μ) / σ along axis 1; x [R, C] → x̂ [R, C] and 1/σ [R, 1]. */
export function standardize(x: Tensor, epsilon: number): Standardized {
  const { centered, inverseDeviation } = center(x, epsilon);
  return { normal: mul(centered, inverseDeviation), inverseDeviation };
}

/** The gradient of `standardize`: dx = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂)) / σ, [R, C]. */
export function standardizeGradient(dNormal: Tensor, { normal, inverseDeviation }: Standardized): Tensor {
  const along = mul(normal, mean(mul(dNormal, normal), [1], true));
  return mul(sub(sub(dNormal, mean(dNormal, [1], true)), along), inverseDeviation);
}

/** γ x̂ + β for rows x [R, C] (the values of LayerNorm); one fused op if the executor has it. */
export function normalizeRows(x: Tensor, { weight, bias }: NormParameters, epsilon: number): Tensor {
  if (hasFusedOps()) return rawOp('_MklLayerNorm', [x, weight, bias], { epsilon: { float: epsilon } });
  return add(mul(standardize(x, epsilon).normal, weight), bias);
}
