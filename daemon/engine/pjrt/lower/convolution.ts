import type { Builder, Value } from './builder.ts';
import { listed, typeOf } from './builder.ts';
import type { Call, Family } from './call.ts';

/**
 * Convolutions without padding and their gradients, channels last. XLA recognises cuDNN's backward passes in these forms; in that
 * by the input only if the kernel is turned by the op `reverse`.
 */

interface Window {
  readonly stride?: readonly number[];
  readonly pad?: readonly (readonly [number, number])[];
  readonly lhsDilate?: readonly number[];
  readonly rhsDilate?: readonly number[];
}

/**
 * Axes of image, weights and result, such as `[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]`. `S` stands for the spatial axes. With rounded factors,
 * the result is rounded as well, since cuDNN has no kernel for another; it adds up in float32.
 */
function convolve(
  b: Builder,
  image: Value,
  weights: Value,
  shape: readonly number[],
  axes: string,
  window: Window,
): Value {
  const [x, kernel] = [b.factor(image), b.factor(weights)];
  const spatial = shape
    .slice(2)
    .map((_, i) => `${i}`)
    .join(', ');
  const parts = [
    window.stride && `stride = ${listed(window.stride)}`,
    window.pad && `pad = [${window.pad.map((p) => listed(p)).join(', ')}]`,
    window.lhsDilate && `lhs_dilate = ${listed(window.lhsDilate)}`,
    window.rhsDilate && `rhs_dilate = ${listed(window.rhsDilate)}`,
  ].filter(Boolean);
  const precision = `#stablehlo<precision ${b.precision}>`;
  const attributes = `batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [${precision}, ${precision}]`;
  const result = { dtype: x.dtype, shape };
  const text = `stablehlo.convolution(${b.use(x)}, ${b.use(kernel)}) dim_numbers = ${axes.replaceAll('S', spatial)}, window = {${parts.join(', ')}} {${attributes}} : (${typeOf(x)}, ${typeOf(kernel)}) -> ${typeOf(result)}`;
  return b.convert(b.add(result, text), image.dtype);
}

/** One stride per spatial axis. */
function stridesOf(call: Call): number[] {
  if (call.string('padding', 'VALID') !== 'VALID') throw new Error('the input must be padded before');
  return call.ints('strides').slice(1, -1);
}

function spatialOf({ shape }: Value): readonly number[] {
  return shape.slice(1, -1);
}

function forward(b: Builder, call: Call): Value[] {
  const [x, kernel] = [call.tensor(0), call.tensor(1)];
  const stride = stridesOf(call);
  const lengths = spatialOf(x).map((length, i) => Math.floor((length - (kernel.shape[i] ?? 1)) / (stride[i] ?? 1)) + 1);
  const shape = [x.shape[0] ?? 1, ...lengths, kernel.shape.at(-1) ?? 1];
  return [convolve(b, x, kernel, shape, '[b, S, f]x[S, i, o]->[b, S, f]', { stride })];
}

/** Operands: shape of x, kernel, dy. dx = dy, spread by the strides, ∗ the turned kernel. */
function inputGradient(b: Builder, call: Call): Value[] {
  const shape = call.integers(0);
  // Rounded before it is turned: XLA recognises cuDNN's backward pass only where the turned kernel is the factor itself.
  const [kernel, dy] = [b.factor(call.tensor(1)), call.tensor(2)];
  const stride = stridesOf(call);
  const lengths = shape.slice(1, -1);
  const pad = lengths.map((length, i): [number, number] => {
    const k = kernel.shape[i] ?? 1;
    const spread = ((dy.shape[i + 1] ?? 1) - 1) * (stride[i] ?? 1) + 1;
    return [k - 1, length - spread];
  });
  const dims = lengths.map((_, i) => i);
  const turned = b.add(kernel, `stablehlo.reverse ${b.use(kernel)}, dims = ${listed(dims)} : ${typeOf(kernel)}`);
  return [convolve(b, dy, turned, shape, '[b, S, f]x[S, o, i]->[b, S, f]', { pad, lhsDilate: stride })];
}

/** Operands: x, shape of the kernel, dy. dw = x ∗ dy, spread by the strides; images are the channels, channels the images. */
function kernelGradient(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const shape = call.integers(1);
  const dy = call.tensor(2);
  const stride = stridesOf(call);
  const pad = spatialOf(x).map((length, i): [number, number] => {
    const spread = ((dy.shape[i + 1] ?? 1) - 1) * (stride[i] ?? 1) + 1;
    return [0, (shape[i] ?? 1) - 1 + spread - length];
  });
  return [convolve(b, x, dy, shape, '[f, S, b]x[i, S, o]->[S, b, f]', { pad, rhsDilate: stride })];
}

export const convolutions: Family = {
  Conv2D: forward,
  Conv3D: forward,
  Conv2DBackpropInput: inputGradient,
  Conv3DBackpropInputV2: inputGradient,
  Conv2DBackpropFilter: kernelGradient,
  Conv3DBackpropFilterV2: kernelGradient,
};
