import { add, dense, differentiable, gelu, matMul, mul, sumRows, type Tensor } from '../../engine/ops/index.ts';

export interface LinearParameters {
  /** [out, in] */
  readonly weight: Tensor;
  /** [out] */
  readonly bias?: Tensor;
}

/**
 * y = x Wᵀ + b, for rows x [R, in] → [R, out].
 * Gradient: dx = dy W, dW = dyᵀ x, db = Σ dy.
 */
export function linear(x: Tensor, { weight, bias }: LinearParameters): Tensor {
  return differentiable(
    bias ? [x, weight, bias] : [x, weight],
    (save) => {
      save(x, weight);
      return dense(x, weight, bias);
    },
    (dy, [x, weight]) => {
      const gradients = [matMul(dy, weight!), matMul(dy, x!, true)];
      return bias ? [...gradients, sumRows(dy)] : gradients;
    },
  );
}

/**
 * y = r + k (x Wᵀ + b): a branch that ends in a dense layer, and its residual r [R, out]. The factors k [R, 1] are
 * stochastic depth's (Huang et al. 2016); without them k = 1.
 */
export function linearResidual(
  x: Tensor,
  parameters: Required<LinearParameters>,
  residual: Tensor,
  keep?: Tensor,
): Tensor {
  const { weight, bias } = parameters;
  return differentiable(
    [x, weight, bias, residual],
    (save) => {
      save(x, weight, ...(keep ? [keep] : []));
      return branch(x, weight, bias, residual, keep);
    },
    (dy, [x, weight, keep]) => {
      const dBranch = keep ? mul(dy, keep) : dy;
      return [matMul(dBranch, weight!), matMul(dBranch, x!, true), sumRows(dBranch), dy];
    },
  );
}

/** r + k (x Wᵀ + b), without gradient. */
export function branch(x: Tensor, weight: Tensor, bias: Tensor, residual: Tensor, keep?: Tensor): Tensor {
  if (!keep) return dense(x, weight, bias, { residual });
  return add(residual, mul(dense(x, weight, bias), keep));
}

/** y = GELU(x Wᵀ + b). With h = x Wᵀ + b: dh = dy GELU′(h), then as `linear`. */
export function linearGelu(x: Tensor, { weight, bias }: Required<LinearParameters>): Tensor {
  return differentiable(
    [x, weight, bias],
    (save) => {
      save(x, weight, bias);
      return dense(x, weight, bias, { gelu: true });
    },
    (dy, [x, weight, bias]) => {
      const dh = mul(dy, gelu(dense(x!, weight!, bias!)).slope());
      return [matMul(dh, weight!), matMul(dh, x!, true), sumRows(dh)];
    },
  );
}
