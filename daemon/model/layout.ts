import type { ParameterForm } from './parameters.ts';

/**
 * The order of the reference's axes in our layout: axis `order[i]` of the reference is at place i. Convolutions are [k…, in, out]
 * (TensorFlow's), transposed ones [in, k…, out] (a matrix product followed by a rearrangement, ops/upsample.ts).
 */
function axisOrder(spec: ParameterForm): number[] | undefined {
  const kernel = spec.shape.slice(2).map((_, i) => i + 2);
  if (spec.kind === 'conv') return [...kernel, 1, 0];
  if (spec.kind === 'transposedConv') return [0, ...kernel, 1];
  return undefined;
}

/** Shape in our layout. */
export function ourShape(spec: ParameterForm): number[] {
  return axisOrder(spec)?.map((axis) => spec.shape[axis]!) ?? [...spec.shape];
}

/** Transposes `data` of shape `shape` so that axis `order[i]` moves to place i. */
function transpose(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  const lengths = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const last = order.length - 1;
  const place = new Array<number>(order.length).fill(0);
  const result = new Float32Array(data.length);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from]!;
    for (let axis = last; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++place[axis]! < lengths[axis]!) break;
      from -= steps[axis]! * lengths[axis]!;
      place[axis] = 0;
    }
  }
  return result;
}

/** Values of a parameter from the reference's layout to ours. */
export function fromReference(spec: ParameterForm, data: Float32Array): Float32Array {
  const order = axisOrder(spec);
  return order ? transpose(data, spec.shape, order) : data;
}

/** Values of a parameter from our layout to the reference's. */
export function toReference(spec: ParameterForm, data: Float32Array): Float32Array {
  const order = axisOrder(spec);
  if (!order) return data;
  const back = order.map((_, axis) => order.indexOf(axis));
  return transpose(data, ourShape(spec), back);
}
