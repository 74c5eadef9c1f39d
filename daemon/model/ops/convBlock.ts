import {
  add,
  after,
  center,
  concat,
  convolution,
  convolutionInputGradient,
  convolutionKernelGradient,
  differentiable,
  leakyRelu,
  leakyReluGradient,
  mul,
  type NormParameters,
  pad,
  reshape,
  rows,
  slice,
  sub,
  sum,
  type Tensor,
} from '../../engine/ops/index.ts';

export interface ConvBlockParameters {
  /** Kernel [k, …, C, C'], TensorFlow's layout. */
  readonly weight: Tensor;
  readonly norm: NormParameters;
}

export interface ConvBlockOptions {
  /** False when `x` is an image, whose gradient is not needed. Default true. */
  readonly differentiateInput?: boolean;
  /**
   * Elements of a map from which on the gradient is computed image by image, which takes much less memory. Sums over the batch are
   * then added in another order. Default: at once.
   */
  readonly pieceSize?: number;
}

const epsilon = 1e-5;
const slope = 0.01;

/**
 * Patch embedding: LeakyReLU(γ IN(x ∗ W) + β), the convolution without bias, slope 0.01. The input is padded first: with built-in
 * padding, oneDNN does not handle the convolution's gradient.
 * @param x [B, …, C]
 * @param strides one per spatial axis
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
  { differentiateInput = true, pieceSize = Number.POSITIVE_INFINITY }: ConvBlockOptions = {},
): Tensor {
  const margin = (weight.shape[0]! - 1) / 2;
  const padding = [[0, 0] as const, ...strides.map(() => [margin, margin] as const), [0, 0] as const];
  let shape: number[] = [];
  const cells = (t: Tensor) => reshape(t, [t.shape[0]!, -1, t.shape[t.rank - 1]!]);

  /** Gradients by weight, gain, shift and, if asked for, x, of some images. */
  const gradientsOf = (dy: Tensor, [x, weight, gain, centered, inverseDeviation, y]: Tensor[]): Tensor[] => {
    const dz = leakyReluGradient(cells(dy), y!, slope);
    const n = centered!.shape[1]!;
    const dShift = sum(dz, [1], true); // [B, 1, C']
    const dGain = mul(sum(mul(dz, centered!), [1], true), inverseDeviation!);
    const along = mul(centered!, mul(mul(dGain, inverseDeviation!), 1 / n));
    const dCentered = sub(dz, add(along, mul(dShift, 1 / n)));
    const dConvolved = reshape(mul(dCentered, mul(inverseDeviation!, gain!)), [dy.shape[0]!, ...shape.slice(1)]);
    const padded = pad(x!, padding);
    const gradients = [
      convolutionKernelGradient(padded, weight!, dConvolved, strides),
      sum(dGain, [0, 1]),
      sum(dShift, [0, 1]),
    ];
    if (!differentiateInput) return gradients;
    const dPadded = convolutionInputGradient(padded, weight!, dConvolved, strides);
    const begin = padding.map(([before]) => before);
    return [...gradients, slice(dPadded, begin, x!.shape)];
  };

  /** The same, one image after the other. */
  const imagewise = (dy: Tensor, [x, weight, gain, centered, inverseDeviation, y]: Tensor[]): Tensor[] => {
    const sums: Tensor[] = [];
    const inputs: Tensor[] = [];
    for (let i = 0; i < dy.shape[0]!; i++) {
      const own = (all: Tensor | undefined) => rows(all!, i, 1);
      const first = after(sums, own(dy));
      const saved = [after([first], own(x)), weight!, gain!, own(centered), own(inverseDeviation), own(y)];
      const [dWeight, dGain, dShift, dInput] = gradientsOf(first, saved);
      [dWeight, dGain, dShift].forEach((gradient, which) => {
        sums[which] = sums[which] ? add(sums[which], gradient!) : gradient!;
      });
      if (dInput) inputs.push(dInput);
    }
    return differentiateInput ? [...sums, concat(inputs, 0)] : sums;
  };

  return differentiable(
    differentiateInput ? [weight, norm.weight, norm.bias, x] : [weight, norm.weight, norm.bias],
    (save) => {
      const convolved = convolution(pad(x, padding), weight, strides);
      shape = convolved.shape;
      const { centered, inverseDeviation } = center(cells(convolved), epsilon); // [B, n, C'] and [B, 1, C']
      const z = add(mul(centered, mul(inverseDeviation, norm.weight)), norm.bias);
      const y = leakyRelu(z, slope);
      save(x, weight, norm.weight, centered, inverseDeviation, y);
      return reshape(y, shape);
    },
    (dy, saved) => {
      const large = Math.max(x.size, dy.size) >= pieceSize && dy.shape[0]! > 1;
      return large ? imagewise(dy, saved) : gradientsOf(dy, saved);
    },
  );
}
