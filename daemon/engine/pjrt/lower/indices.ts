import type { Builder, Value } from './builder.ts';
import { listed, typeOf } from './builder.ts';
import { axesOf, type Call, type Family } from './call.ts';

/** Elements at places that another tensor names. */

/** Slices of x along an axis, at `indices`. */
function gather(b: Builder, call: Call): Value[] {
  const [x, indices] = [call.tensor(0), call.tensor(1)];
  if (call.int('batch_dims') !== 0) throw new Error('batch_dims are not supported');
  const [axis = 0] = axesOf([call.integer(2)], x.shape.length);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const offsets = shape.map((_, i) => i).filter((i) => i < axis || i >= axis + indices.shape.length);
  const sizes = x.shape.map((n, i) => (i === axis ? 1 : n));
  const dimensions = `#stablehlo.gather<offset_dims = ${listed(offsets)}, collapsed_slice_dims = [${axis}], start_index_map = [${axis}], index_vector_dim = ${indices.shape.length}>`;
  const result = { dtype: x.dtype, shape };
  const attributes = `{dimension_numbers = ${dimensions}, indices_are_sorted = false, slice_sizes = array<i64: ${sizes.join(', ')}>}`;
  return [
    b.add(
      result,
      `"stablehlo.gather"(${b.use(x)}, ${b.use(indices)}) ${attributes} : (${typeOf(x)}, ${typeOf(indices)}) -> ${typeOf(result)}`,
    ),
  ];
}

/** x [n, …] with `updates` [m, …] added at rows `indices` [m]. */
function addAt(b: Builder, x: Value, indices: Value, updates: Value): Value {
  const count = indices.shape[0] ?? 0;
  const column = b.reshape(indices, [count, 1]);
  const windows = updates.shape.slice(1).map((_, i) => i + 1);
  const dimensions = `#stablehlo.scatter<update_window_dims = ${listed(windows)}, inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>`;
  const [left, right, sum] = ['%left', '%right', '%sum'];
  const scalar = typeOf({ dtype: x.dtype, shape: [] });
  const names = [x, column, updates].map((value) => b.use(value)).join(', ');
  const attributes = `{scatter_dimension_numbers = ${dimensions}, indices_are_sorted = false, unique_indices = false}`;
  const body = `({ ^bb0(${left}: ${scalar}, ${right}: ${scalar}): ${sum} = stablehlo.add ${left}, ${right} : ${scalar} stablehlo.return ${sum} : ${scalar} })`;
  return b.add(
    x,
    `"stablehlo.scatter"(${names}) ${body} ${attributes} : (${typeOf(x)}, ${typeOf(column)}, ${typeOf(updates)}) -> ${typeOf(x)}`,
  );
}

function scatterAdd(b: Builder, call: Call): Value[] {
  const [x, indices, updates] = [call.tensor(0), call.tensor(1), call.tensor(2)];
  if (indices.shape.at(-1) !== 1 || indices.shape.length !== 2) throw new Error('indices must be [m, 1]');
  return [addAt(b, x, indices, updates)];
}

/** Sums of rows by their segment. Operands: values [n, …], segments [n], their number. */
function segmentSum(b: Builder, call: Call): Value[] {
  const [values, segments] = [call.tensor(0), call.tensor(1)];
  if (segments.shape.length !== 1) throw new Error('segments must be [n]');
  const zeros = b.like({ dtype: values.dtype, shape: [call.integer(2), ...values.shape.slice(1)] }, 0);
  return [addAt(b, zeros, segments, values)];
}

export const indexed: Family = { GatherV2: gather, TensorScatterAdd: scatterAdd, UnsortedSegmentSum: segmentSum };
