import {
  add,
  after,
  concat,
  dense,
  differentiable,
  gelu,
  matMul,
  mul,
  type NormParameters,
  normalizeRows,
  rows,
  standardize,
  standardizeGradient,
  sumRows,
  type Tensor,
} from '../../engine/ops/index.ts';
import { branch, type LinearParameters } from './linear.ts';

export interface MlpParameters {
  readonly norm: NormParameters;
  readonly fc1: Required<LinearParameters>;
  readonly fc2: Required<LinearParameters>;
}

export interface MlpOptions {
  /** k [R, 1] as in `linearResidual`. */
  readonly keep?: Tensor;
  /**
   * Hidden values that the gradient is computed for at a time: fewer take less memory. Sums over the rows are then added in another
   * order. Default: all.
   */
  readonly pieceSize?: number;
}

/**
 * The second half of a transformer block on rows x [R, C]:
 *
 *     y = x + k (GELU(LN(x) W₁ᵀ + b₁) W₂ᵀ + b₂)
 *
 * Only x is kept for the gradient; LN(x) and the four times wider hidden values h = LN(x) W₁ᵀ + b₁ are recomputed once dy is known,
 * so that they do not take memory earlier. With a = GELU(h):
 *
 *     dW₂ = dyᵀ a,  dh = (dy W₂) GELU′(h),  dW₁ = dhᵀ LN(x),  dx = dy + LN′(dh W₁)
 */
export function mlpBlock(
  x: Tensor,
  { norm, fc1, fc2 }: MlpParameters,
  epsilon: number,
  { keep, pieceSize = Number.POSITIVE_INFINITY }: MlpOptions = {},
): Tensor {
  const gradientsOf = (dy: Tensor, [x, gain, shift, w1, b1, w2, keep]: Tensor[]): Tensor[] => {
    const dBranch = keep ? mul(dy, keep) : dy;
    const standardized = standardize(after([dy], x!), epsilon);
    const normed = add(mul(standardized.normal, gain!), shift!);
    const { value, slope } = gelu(dense(normed, w1!, b1!));
    const dHidden = mul(matMul(dBranch, w2!), slope());
    const dNormed = matMul(dHidden, w1!);
    return [
      add(dy, standardizeGradient(mul(dNormed, gain!), standardized)),
      sumRows(mul(dNormed, standardized.normal)),
      sumRows(dNormed),
      matMul(dHidden, normed, true),
      sumRows(dHidden),
      matMul(dBranch, value, true),
      sumRows(dBranch),
    ];
  };
  const [count, hidden] = [x.shape[0]!, fc1.bias.size];
  const pieces = Math.max(1, Math.ceil((count * hidden) / pieceSize));

  /** The same, some rows after the others. */
  const piecewise = (dy: Tensor, [x, gain, shift, w1, b1, w2, keep]: Tensor[]): Tensor[] => {
    const parts: Tensor[] = [];
    let sums: Tensor[] = [];
    for (let i = 0; i < pieces; i++) {
      const begin = Math.floor((i * count) / pieces);
      const length = Math.floor(((i + 1) * count) / pieces) - begin;
      const own = (all: Tensor) => rows(all, begin, length);
      const saved = [own(x!), gain!, shift!, w1!, b1!, w2!, ...(keep ? [own(keep)] : [])];
      const [dx, ...gradients] = gradientsOf(after([...parts.slice(-1), ...sums], own(dy)), saved);
      parts.push(dx!);
      sums = gradients.map((gradient, which) => (sums[which] ? add(sums[which], gradient) : gradient));
    }
    return [concat(parts, 0), ...sums];
  };

  return differentiable(
    [x, norm.weight, norm.bias, fc1.weight, fc1.bias, fc2.weight, fc2.bias],
    (save) => {
      save(x, norm.weight, norm.bias, fc1.weight, fc1.bias, fc2.weight, ...(keep ? [keep] : []));
      const normed = normalizeRows(x, norm, epsilon);
      return branch(dense(normed, fc1.weight, fc1.bias, { gelu: true }), fc2.weight, fc2.bias, x, keep);
    },
    (dy, saved) => (pieces > 1 ? piecewise(dy, saved) : gradientsOf(dy, saved)),
  );
}
