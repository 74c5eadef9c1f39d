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
 * With c = x ∗ W, d = c − μ over each image and channel, z = (γ / σ) d + β and n cells:
 * dz = dy · (1 or slope), dβ = Σ dz, dγ = Σ dz d / σ, dc = γ / σ · (dz − Σ dz / n − d Σ dz d / (n σ²)),
 * sums for each image and channel.
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
      const inverseDeviation = rawOp('Rsqrt', [add(variance, scalar(epsilon))]); // [B, 1, C']
      const z = add(mul(centered, mul(inverseDeviation, norm.weight)), norm.bias);
      const y = rawOp('LeakyRelu', [z], { alpha: { float: slope } });
      save(x, weight, norm.weight, centered, inverseDeviation, y);
      return reshape(y, shape);
    },
    (dy, [x, weight, gain, centered, inverseDeviation, y]) => {
      const dz = rawOp('LeakyReluGrad', [cells(dy), y!], { alpha: { float: slope } });
      const n = centered!.shape[1]!;
      const dShift = sum(dz, [1], true); // [B, 1, C']
      const dGain = mul(sum(mul(dz, centered!), [1], true), inverseDeviation!);
      const along = mul(centered!, scale(mul(dGain, inverseDeviation!), 1 / n));
      const dCentered = sub(dz, add(along, scale(dShift, 1 / n)));
      const dConvolved = reshape(mul(dCentered, mul(inverseDeviation!, gain!)), shape);
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
