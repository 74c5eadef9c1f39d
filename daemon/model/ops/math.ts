import { scalar, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { currentSession, rawOp } from '../../engine/index.ts';

/** Whether the ops that oneDNN fuses exist: in graphs for x86 processors. XLA fuses by itself. */
export function hasFusedOps(): boolean {
  const { executor, options } = currentSession();
  return executor === 'graph' && options.device === 'cpu' && process.arch === 'x64';
}

/** a b, with a or b transposed if asked for; [M, K] × [K, N] → [M, N]. */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  return rawOp('MatMul', [a, b], { transpose_a: { bool: transposeA }, transpose_b: { bool: transposeB } });
}

/** As `matMul` for each element of the leading axes, which broadcast: […, M, K] × […, K, N] → […, M, N]. */
export function batchMatMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  return rawOp('BatchMatMulV2', [a, b], { adj_x: { bool: transposeA }, adj_y: { bool: transposeB } });
}

export function add(a: Tensor, b: Tensor): Tensor {
  return rawOp('AddV2', [a, b]);
}

export function sub(a: Tensor, b: Tensor): Tensor {
  return rawOp('Sub', [a, b]);
}

export function mul(a: Tensor, b: Tensor): Tensor {
  return rawOp('Mul', [a, b]);
}

export function scale(a: Tensor, factor: number): Tensor {
  return mul(a, scalar(factor));
}

/** Sum over `axes`; they stay with length 1 if `keep`. */
export function sum(x: Tensor, axes: readonly number[], keep = false): Tensor {
  return rawOp('Sum', [x, tensor1d([...axes], 'int32')], { keep_dims: { bool: keep } });
}

/** Mean over `axes`, which stay with length 1. */
export function mean(x: Tensor, axes: readonly number[]): Tensor {
  return rawOp('Mean', [x, tensor1d([...axes], 'int32')], { keep_dims: { bool: true } });
}

/** [R, C] → [C]. */
export function sumRows(x: Tensor): Tensor {
  return sum(x, [0]);
}

export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return rawOp('Reshape', [x, tensor1d([...shape], 'int32')]);
}

/** Axis `order[i]` comes to place i. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  return rawOp('Transpose', [x, tensor1d([...order], 'int32')]);
}

/** Part of `x` along axis 0: shares its memory. */
export function slice(x: Tensor, begin: number, length: number): Tensor {
  const rest = x.shape.slice(1);
  return rawOp('Slice', [x, tensor1d([begin, ...rest.map(() => 0)], 'int32'), tensor1d([length, ...rest], 'int32')]);
}

/** The corner of `x` that has the given shape. */
export function crop(x: Tensor, shape: readonly number[]): Tensor {
  return rawOp('Slice', [
    x,
    tensor1d(
      shape.map(() => 0),
      'int32',
    ),
    tensor1d([...shape], 'int32'),
  ]);
}

/** Zeros around `x`: `padding[axis]` = [before, after]. PadV2, since Pad keeps grappler from improving convolutions. */
export function pad(x: Tensor, padding: readonly (readonly [number, number])[]): Tensor {
  const amounts = reshape(tensor1d(padding.flat(), 'int32'), [padding.length, 2]);
  return rawOp('PadV2', [x, amounts, scalar(0)]);
}

export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  return rawOp('ConcatV2', [tensors, scalar(axis, 'int32')]);
}

/**
 * x Wᵀ + bias (+ residual), or its GELU: the dense layer, in one op where it exists.
 * W is [out, in] (or [in, out] if `transposed`), x [R, in].
 */
export function dense(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: { residual?: Tensor; gelu?: boolean; transposed?: boolean } = {},
): Tensor {
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

/** Φ(x), the standard normal distribution. */
function normalDistribution(x: Tensor): Tensor {
  const erf = rawOp('Erf', [scale(x, Math.SQRT1_2)]);
  return scale(add(erf, scalar(1)), 0.5);
}

/** GELU(x) = x Φ(x) and its slope Φ(x) + x φ(x) (Hendrycks and Gimpel 2016, the exact form). */
export function gelu(x: Tensor): { value: Tensor; slope: () => Tensor } {
  const distribution = normalDistribution(x);
  const slope = () => {
    const density = scale(rawOp('Exp', [scale(mul(x, x), -0.5)]), 1 / Math.sqrt(2 * Math.PI));
    return add(distribution, mul(x, density));
  };
  return { value: mul(x, distribution), slope };
}
