import { DataType, dtypeName, sizeOf } from '../../dataType.ts';
import { isFloat } from '../elementType.ts';
import type { Builder, Value } from './builder.ts';
import { axesOf, type Call, type Family, type Lowering } from './call.ts';

/** Sums, means, extremes, and what is made of them. */

/** The lowest value of a type. */
function lowest(dtype: number): number {
  return rangeOf(dtype)[0];
}

function highest(dtype: number): number {
  return rangeOf(dtype)[1];
}

/** @throws Error for a type whose limits are no numbers of JavaScript, or that has no order */
function rangeOf(dtype: number): readonly [number, number] {
  if (isFloat(dtype)) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (dtype === DataType.int32) return [-(2 ** 31), 2 ** 31 - 1];
  if (dtype === DataType.uint8) return [0, 255];
  throw new Error(`extremes of ${dtypeName(dtype)} are not supported`);
}

/** A reduction over the axes of operand 1. */
function reduction(
  op: string,
  initial: (dtype: number) => number,
  after?: (b: Builder, y: Value, count: number) => Value,
): Lowering {
  return (b, call) => {
    const x = call.tensor(0);
    const axes = axesOf(call.integers(1), x.shape.length);
    const reduced = b.reduce(op, x, axes, initial(x.dtype));
    const count = sizeOf(axes.map((axis) => x.shape[axis] ?? 1));
    const y = after ? after(b, reduced, count) : reduced;
    const kept = x.shape.map((length, i) => (axes.includes(i) ? 1 : length));
    return [call.bool('keep_dims') ? b.reshape(y, kept) : y];
  };
}

/** x less its largest value along the last axis, and the sum of its exponentials there. */
function shifted(b: Builder, x: Value): { off: Value; exponentials: Value; sum: Value } {
  const axis = x.shape.length - 1;
  const others = x.shape.slice(0, -1).map((_, i) => i);
  const peak = b.along(b.reduce('maximum', x, [axis], lowest(x.dtype)), others, x.shape);
  const off = b.same('stablehlo.subtract', x, peak);
  const exponentials = b.same('stablehlo.exponential', off);
  return { off, exponentials, sum: b.reduce('add', exponentials, [axis], 0) };
}

function softmax(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const { exponentials, sum } = shifted(b, x);
  const others = x.shape.slice(0, -1).map((_, i) => i);
  return [b.same('stablehlo.divide', exponentials, b.along(sum, others, x.shape))];
}

function logSoftmax(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const { off, sum } = shifted(b, x);
  const others = x.shape.slice(0, -1).map((_, i) => i);
  return [b.same('stablehlo.subtract', off, b.along(b.same('stablehlo.log', sum), others, x.shape))];
}

/** Half the sum of squares. */
function l2Loss(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const sum = b.reduce(
    'add',
    b.same('stablehlo.multiply', x, x),
    x.shape.map((_, i) => i),
    0,
  );
  return [b.same('stablehlo.multiply', sum, b.like(sum, 0.5))];
}

/** The first place of the largest value along an axis: the least index among those that have it. */
function argMax(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const [axis = 0] = axesOf([call.integer(1)], x.shape.length);
  const dtype = call.dtype('output_type', 'int64');
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const peak = b.along(b.reduce('maximum', x, [axis], lowest(x.dtype)), others, x.shape);
  const places = b.iota(DataType.int32, x.shape, axis);
  const found = b.select(b.compare('EQ', x, peak), places, b.like(places, x.shape[axis] ?? 0));
  return [b.convert(b.reduce('minimum', found, [axis], highest(DataType.int32)), dtype)];
}

export const reductions: Family = {
  Sum: reduction('add', () => 0),
  Mean: reduction(
    'add',
    () => 0,
    (b, y, count) => b.same('stablehlo.divide', y, b.like(y, count)),
  ),
  Max: reduction('maximum', lowest),
  Min: reduction('minimum', highest),
  Prod: reduction('multiply', () => 1),
  All: reduction('and', () => 1),
  Any: reduction('or', () => 0),
  L2Loss: l2Loss,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  ArgMax: argMax,
};
