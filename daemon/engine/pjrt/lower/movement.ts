import { DataType, sizeOf } from '../../dataType.ts';
import type { Builder, Value } from './builder.ts';
import { listed, typeOf } from './builder.ts';
import { axesOf, type Call, type Family } from './call.ts';

/** The arrangement of elements: shapes, parts, copies, places. */

function reshape(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const shape = call.integers(1);
  const known = shape.reduce((product, n) => (n < 0 ? product : product * n), 1);
  return [
    b.reshape(
      x,
      shape.map((n) => (n < 0 ? sizeOf(x.shape) / known : n)),
    ),
  ];
}

function expandDims(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const [axis = 0] = axesOf([call.integer(1)], x.shape.length + 1);
  return [b.reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)])];
}

function squeeze(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const axes = axesOf(
    call.ints('squeeze_dims').length > 0 ? call.ints('squeeze_dims') : call.ints('axis'),
    x.shape.length,
  );
  const gone = (i: number) => (axes.length > 0 ? axes.includes(i) : x.shape[i] === 1);
  return [
    b.reshape(
      x,
      x.shape.filter((_, i) => !gone(i)),
    ),
  ];
}

function slice(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const begin = call.integers(1);
  const end = call.integers(2).map((n, i) => (n < 0 ? (x.shape[i] ?? 0) : (begin[i] ?? 0) + n));
  return [b.slice(x, begin, end)];
}

const masks = ['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'];

function stridedSlice(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const [beginMask = 0, endMask = 0, ...others] = masks.map((name) => call.int(name));
  if (others.some((mask) => mask !== 0)) throw new Error('only begin_mask and end_mask are supported');
  const strides = call.integers(3);
  if (strides.some((s) => s < 1)) throw new Error('strides must be positive');
  const bound = (given: number, length: number) => Math.min(Math.max(given < 0 ? given + length : given, 0), length);
  const begin = call.integers(1).map((n, i) => (beginMask & (1 << i) ? 0 : bound(n, x.shape[i] ?? 0)));
  const end = call.integers(2).map((n, i) => (endMask & (1 << i) ? (x.shape[i] ?? 0) : bound(n, x.shape[i] ?? 0)));
  return [b.slice(x, begin, end, strides)];
}

/** Operands: x, pairs of widths, and for PadV2 the value. */
function pad(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const widths = call.integers(1);
  const value = call.count > 2 ? call.tensor(2) : b.like({ dtype: x.dtype, shape: [] }, 0);
  const low = x.shape.map((_, i) => widths[2 * i] ?? 0);
  const high = x.shape.map((_, i) => widths[2 * i + 1] ?? 0);
  const result = { dtype: x.dtype, shape: x.shape.map((n, i) => n + (low[i] ?? 0) + (high[i] ?? 0)) };
  const interior = x.shape.map(() => 0);
  const text = `stablehlo.pad ${b.use(x)}, ${b.use(value)}, low = ${listed(low)}, high = ${listed(high)}, interior = ${listed(interior)} : (${typeOf(x)}, ${typeOf(value)}) -> ${typeOf(result)}`;
  return [b.add(result, text)];
}

function concat(b: Builder, call: Call): Value[] {
  const parts = call.list(0);
  const [axis = 0] = axesOf([call.integer(1)], parts[0]?.shape.length ?? 0);
  return [b.concatenate(parts, axis)];
}

/** Values along a new axis. */
function pack(b: Builder, call: Call): Value[] {
  const parts = call.list(0);
  const [axis = 0] = axesOf([call.int('axis')], (parts[0]?.shape.length ?? 0) + 1);
  const wider = parts.map((x) => b.reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]));
  return [b.concatenate(wider, axis)];
}

/** Parts of these lengths along an axis. */
function cut(b: Builder, x: Value, lengths: readonly number[], axis: number): Value[] {
  let from = 0;
  return lengths.map((length) => {
    const begin = x.shape.map((_, i) => (i === axis ? from : 0));
    const end = x.shape.map((n, i) => (i === axis ? from + length : n));
    from += length;
    return b.slice(x, begin, end);
  });
}

function unpack(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const [axis = 0] = axesOf([call.int('axis')], x.shape.length);
  const count = call.int('num', x.shape[axis] ?? 0);
  const shape = x.shape.filter((_, i) => i !== axis);
  return cut(b, x, new Array<number>(count).fill(1), axis).map((part) => b.reshape(part, shape));
}

function splitV(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const [axis = 0] = axesOf([call.integer(2)], x.shape.length);
  const lengths = call.integers(1);
  const known = lengths.reduce((sum, n) => sum + Math.max(n, 0), 0);
  return cut(
    b,
    x,
    lengths.map((n) => (n < 0 ? (x.shape[axis] ?? 0) - known : n)),
    axis,
  );
}

/** x [n₀, n₁, …] repeated: as [1, n₀, 1, n₁, …] along the axes of length 1. */
function tile(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const times = call.integers(1);
  const repeated = x.shape.map((n, i) => n * (times[i] ?? 1));
  if (times.every((t, i) => t === 1 || x.shape[i] === 1)) return [b.broadcast(x, repeated)];
  const spread = x.shape.flatMap((n, i) => [times[i] ?? 1, n]);
  return [
    b.reshape(
      b.along(
        x,
        x.shape.map((_, i) => 2 * i + 1),
        spread,
      ),
      repeated,
    ),
  ];
}

function reverse(b: Builder, call: Call): Value[] {
  const x = call.tensor(0);
  const axes = axesOf(call.integers(1), x.shape.length);
  return [b.add(x, `stablehlo.reverse ${b.use(x)}, dims = ${listed(axes)} : ${typeOf(x)}`)];
}

/** Numbers known while tracing. */
function range(b: Builder, call: Call): Value[] {
  const [start, limit, step] = [call.integer(0), call.integer(1), call.integer(2)];
  const { dtype } = call.tensor(0);
  if (dtype !== DataType.int32) throw new Error('only int32 is supported');
  const count = Math.max(0, Math.ceil((limit - start) / step));
  const steps = b.iota(dtype, [count], 0);
  return [b.same('stablehlo.add', b.same('stablehlo.multiply', steps, b.like(steps, step)), b.like(steps, start))];
}

function fill(b: Builder, call: Call): Value[] {
  return [b.broadcast(call.tensor(1), call.integers(0))];
}

/** Operands: labels, number of columns, the values for 1 and 0. */
function oneHot(b: Builder, call: Call): Value[] {
  const labels = call.tensor(0);
  if (call.int('axis', -1) !== -1) throw new Error('the classes must be the last axis');
  const shape = [...labels.shape, call.integer(1)];
  const columns = b.iota(labels.dtype, shape, shape.length - 1);
  const own = b.along(
    labels,
    labels.shape.map((_, i) => i),
    shape,
  );
  return [
    b.select(b.compare('EQ', columns, own), b.broadcast(call.tensor(2), shape), b.broadcast(call.tensor(3), shape)),
  ];
}

export const movement: Family = {
  Reshape: reshape,
  ExpandDims: expandDims,
  Squeeze: squeeze,
  Transpose: (b, call) => [b.transpose(call.tensor(0), call.integers(1))],
  Slice: slice,
  StridedSlice: stridedSlice,
  Pad: pad,
  PadV2: pad,
  ConcatV2: concat,
  Pack: pack,
  Unpack: unpack,
  SplitV: splitV,
  Tile: tile,
  BroadcastTo: (b, call) => [b.broadcast(call.tensor(0), call.integers(1))],
  ReverseV2: reverse,
  Range: range,
  Fill: fill,
  OneHot: oneHot,
};
