import {
  after,
  differentiable,
  mul,
  type NormParameters,
  normalizeRows,
  standardize,
  standardizeGradient,
  sumRows,
  type Tensor,
} from '../../engine/ops/index.ts';

/**
 * LayerNorm (Ba et al. 2016): y = γ x̂ + β over the channels of rows x [R, C], with x̂ = (x − μ) / √(var + ε).
 * Gradient: dγ = Σ dy x̂, dβ = Σ dy, dx̂ = γ dy, then `standardizeGradient`. x̂ is computed again from x.
 */
export function layerNorm(x: Tensor, norm: NormParameters, epsilon: number): Tensor {
  return differentiable(
    [x, norm.weight, norm.bias],
    (save) => {
      save(x, norm.weight);
      return normalizeRows(x, norm, epsilon);
    },
    (dy, [x, weight]) => {
      const standardized = standardize(after([dy], x!), epsilon);
      return [standardizeGradient(mul(dy, weight!), standardized), sumRows(mul(dy, standardized.normal)), sumRows(dy)];
    },
  );
}
