import type { Builder, Value } from './builder.ts';
import { listed, typeOf } from './builder.ts';
import type { Call, Family } from './call.ts';

/** Matrix products. */

interface DotOptions {
  /** The first axes of both belong together. */
  readonly batch?: number;
  /** The factors are not rounded, whatever the module multiplies: neither to bfloat16 nor, on a GPU, to TensorFloat-32. */
  readonly exact?: boolean;
}

/** The product of two values over one axis each. Rounded factors are still added up in float32, and the result is float32. */
export function dot(
  b: Builder,
  left: Value,
  right: Value,
  over: readonly [number, number],
  { batch = 0, exact = false }: DotOptions = {},
): Value {
  const [x, y] = exact ? [left, right] : [b.factor(left), b.factor(right)];
  const precision = exact ? 'HIGHEST' : b.precision;
  const [i, j] = over;
  const leading = Array.from({ length: batch }, (_, axis) => axis);
  const free = (shape: readonly number[], axis: number) => shape.filter((_, at) => at >= batch && at !== axis);
  const result = { dtype: left.dtype, shape: [...x.shape.slice(0, batch), ...free(x.shape, i), ...free(y.shape, j)] };
  const batching = batch > 0 ? `batching_dims = ${listed(leading)} x ${listed(leading)}, ` : '';
  const text = `stablehlo.dot_general ${b.use(x)}, ${b.use(y)}, ${batching}contracting_dims = [${i}] x [${j}], precision = [${precision}, ${precision}] : (${typeOf(x)}, ${typeOf(y)}) -> ${typeOf(result)}`;
  return b.add(result, text);
}

function matMul(b: Builder, call: Call): Value[] {
  const over = [call.bool('transpose_a') ? 0 : 1, call.bool('transpose_b') ? 1 : 0] as const;
  return [dot(b, call.tensor(0), call.tensor(1), over, { exact: call.bool('_exact') })];
}

function batchMatMul(b: Builder, call: Call): Value[] {
  const [x, y] = [call.tensor(0), call.tensor(1)];
  const leading = b.commonShape(x.shape.slice(0, -2), y.shape.slice(0, -2));
  const batch = leading.length;
  const [left, right] = [x, y].map((v) => b.broadcast(v, [...leading, ...v.shape.slice(-2)])) as [Value, Value];
  const over = [batch + (call.bool('adj_x') ? 0 : 1), batch + (call.bool('adj_y') ? 1 : 0)] as const;
  return [dot(b, left, right, over, { batch, exact: call.bool('_exact') })];
}

function biasAdd(b: Builder, call: Call): Value[] {
  if (call.string('data_format', 'NHWC') !== 'NHWC') throw new Error('channels must be last');
  return [b.same('stablehlo.add', ...b.together(call.tensor(0), call.tensor(1)))];
}

/** The sum over all axes but the last. */
function biasAddGrad(b: Builder, call: Call): Value[] {
  const dy = call.tensor(0);
  return [
    b.reduce(
      'add',
      dy,
      dy.shape.slice(0, -1).map((_, i) => i),
      0,
    ),
  ];
}

export const products: Family = {
  MatMul: matMul,
  BatchMatMulV2: batchMatMul,
  BiasAdd: biasAdd,
  BiasAddGrad: biasAddGrad,
};
