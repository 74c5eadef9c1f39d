import { scalar, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { type Attrs, rawOp } from '../../engine/index.ts';
import { differentiable } from './differentiable.ts';
import type { NormParameters } from './layerNorm.ts';
import { add, mean, mul, pad, reshape, scale, sub, sum } from './math.ts';

export interface ConvBlockParameters {
  /** Kernel [k, …, C, C'], TensorFlow's layout. */
  readonly weight: Tensor;
  readonly norm: NormParameters;
}

const epsilon = 1e-5;
const slope = 0.01;

/** Convolution of a padded input, and its gradients. */
function convolution(strides: readonly number[]) {
  const flat = strides.length === 2;
  const [forward, byInput, byKernel] = flat
    ? (['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'] as const)
    : (['Conv3D', 'Conv3DBackpropInputV2', 'Conv3DBackpropFilterV2'] as const);
  const attrs: Attrs = { strides: { ints: [1, ...strides, 1] }, padding: { string: 'VALID' } };
  const sizes = (x: Tensor) => tensor1d(x.shape, 'int32');
  return {
    forward: (x: Tensor, kernel: Tensor) => rawOp(forward, [x, kernel], attrs),
    byInput: (x: Tensor, kernel: Tensor, dy: Tensor) =>
      rawOp(byInput, [sizes(x), kernel, dy], attrs, { shape: x.shape }),
    byKernel: (x: Tensor, kernel: Tensor, dy: Tensor) =>
      rawOp(byKernel, [x, sizes(kernel), dy], attrs, { shape: kernel.shape }),
  };
}

/**
 * Patch embedding: LeakyReLU(γ IN(x ∗ W) + β), the convolution without bias, slope 0.01.
 * The convolution's input is padded explicitly: with padding of its own its gradient falls off oneDNN.
 * @param x [B, …, C]
 * @param strides one for each axis of space
 * @param differentiateInput false where `x` is an image: nobody asks for its gradient
 * @returns [B, …', C']
 *
 * With c = x ∗ W, ĉ = (c − μ) / σ over each image and channel, z = γ ĉ + β and n cells:
 * dz = dy · (1 or slope), dγ = Σ dz ĉ, dβ = Σ dz, dc = γ / σ · (dz − Σ dz / n − ĉ Σ dz ĉ / n), sums for each image and channel.
 */
export function convBlock(
  x: Tensor,
  { weight, norm }: ConvBlockParameters,
  strides: readonly number[],
  differentiateInput = true,
): Tensor {
  const margin = (weight.shape[0]! - 1) / 2;
  const padding = [[0, 0] as const, ...strides.map(() => [margin, margin] as const), [0, 0] as const];
  const conv = convolution(strides);
  let shape: number[] = [];
  const cells = (t: Tensor) => reshape(t, [t.shape[0]!, -1, t.shape[t.rank - 1]!]);
  return differentiable(
    differentiateInput ? [weight, norm.weight, norm.bias, x] : [weight, norm.weight, norm.bias],
    (save) => {
      const convolved = conv.forward(pad(x, padding), weight);
      shape = convolved.shape;
      const flat = cells(convolved);
      const centered = sub(flat, mean(flat, [1]));
      const variance = mean(rawOp('Square', [centered]), [1]);
      const inverseDeviation = rawOp('Rsqrt', [add(variance, scalar(epsilon))]);
      const normal = mul(centered, inverseDeviation);
      const z = add(mul(normal, norm.weight), norm.bias);
      const y = rawOp('LeakyRelu', [z], { alpha: { float: slope } });
      save(x, weight, norm.weight, normal, inverseDeviation, y);
      return reshape(y, shape);
    },
    (dy, [x, weight, gain, normal, inverseDeviation, y]) => {
      const dz = rawOp('LeakyReluGrad', [cells(dy), y!], { alpha: { float: slope } });
      const n = normal!.shape[1]!;
      const dShift = sum(dz, [1], true); // [B, 1, C']
      const dGain = sum(mul(dz, normal!), [1], true);
      const centered = sub(dz, add(mul(normal!, scale(dGain, 1 / n)), scale(dShift, 1 / n)));
      const dConvolved = reshape(mul(centered, mul(inverseDeviation!, gain!)), shape);
      const padded = pad(x!, padding);
      const gradients = [conv.byKernel(padded, weight!, dConvolved), sum(dGain, [0, 1]), sum(dShift, [0, 1])];
      if (!differentiateInput) return gradients;
      const dPadded = conv.byInput(padded, weight!, dConvolved);
      const begin = tensor1d(
        padding.map(([before]) => before),
        'int32',
      );
      return [...gradients, rawOp('Slice', [dPadded, begin, tensor1d(x!.shape, 'int32')])];
    },
  );
}
