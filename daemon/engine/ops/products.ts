import type { Tensor } from '@tensorflow/tfjs-core';
import type { Attrs } from '../attributes.ts';
import { currentSession } from '../current.ts';
import { rawOp } from '../rawOp.ts';
import { gelu } from './activations.ts';
import { add } from './arithmetic.ts';
import { hasFusedOps } from './fused.ts';

/** Matrix products. They have no gradient, as arithmetic.ts says. */

/** a b, with a or b transposed on request; [M, K] × [K, N] → [M, N]. */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  return rawOp('MatMul', [a, b], { transpose_a: { bool: transposeA }, transpose_b: { bool: transposeB } });
}

/**
 * As `matMul`, in float32 even where an engine rounds the factors of products (`engine.precision`, TensorFloat-32): for losses and interpolation.
 */
export function exactMatMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  return rawOp('MatMul', [a, b], {
    transpose_a: { bool: transposeA },
    transpose_b: { bool: transposeB },
    ...exactly(),
  });
}

/** Says to an engine that rounds factors that it shall not. */
function exactly(): Attrs {
  return currentSession().platform.traits.roundsFactors ? { _exact: { bool: true } } : {};
}

/** As `matMul` for each element of the leading axes, which broadcast: […, M, K] × […, K, N] → […, M, N]. */
export function batchMatMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  return rawOp('BatchMatMulV2', [a, b], { adj_x: { bool: transposeA }, adj_y: { bool: transposeB } });
}

/** As `batchMatMul`, with factors that are never rounded. */
export function exactBatchMatMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  return rawOp('BatchMatMulV2', [a, b], { adj_x: { bool: transposeA }, adj_y: { bool: transposeB }, ...exactly() });
}

export interface DenseOptions {
  /** [R, out], added to the result. */
  readonly residual?: Tensor;
  /** Applies GELU to the result, after the residual. */
  readonly gelu?: boolean;
  /** The weight is [in, out] instead of [out, in]. */
  readonly transposed?: boolean;
}

/**
 * The dense layer x Wᵀ + b (+ residual), or its GELU; one fused op if the executor has it.
 * @param x [R, in]
 * @param weight W, [out, in] (or [in, out] if `transposed`)
 * @param bias b, [out]
 * @returns [R, out]
 */
export function dense(x: Tensor, weight: Tensor, bias: Tensor | undefined, options: DenseOptions = {}): Tensor {
  const { residual, gelu: activate = false, transposed = false } = options;
  if (bias && hasFusedOps()) {
    const args = residual ? [bias, residual] : [bias];
    const fused = ['BiasAdd', ...(residual ? ['Add'] : []), ...(activate ? ['GeluExact'] : [])];
    return rawOp('_FusedMatMul', [x, weight, args], {
      transpose_b: { bool: !transposed },
      fused_ops: { strings: fused },
      num_args: { int: args.length },
    });
  }
  let y = matMul(x, weight, false, !transposed);
  if (bias) y = rawOp('BiasAdd', [y, bias]);
  if (residual) y = add(residual, y);
  return activate ? gelu(y).value : y;
}
