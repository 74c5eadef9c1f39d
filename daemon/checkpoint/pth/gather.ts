import { type Dtype, dtypeBytes } from '../safetensorsHeader.ts';
import type { StoredTensor } from './values.ts';

/** Whether a tensor's elements lie one after the other in C order. */
export function isContiguous({ shape, strides }: StoredTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/**
 * The elements of a view in C order.
 * @param bytes of the storage, from the view's first element on
 */
export function gather({ shape, strides }: StoredTensor, dtype: Dtype, bytes: Buffer): Uint8Array {
  const width = dtypeBytes[dtype];
  const result = new Uint8Array(shape.reduce((product, size) => product * size, width));
  const place = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < result.length; to += width) {
    for (let i = 0; i < width; i++) result[to + i] = bytes[from * width + i] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [size = 1, stride = 0, index = 0] = [shape[axis], strides[axis], place[axis]];
      from += stride;
      if (index + 1 < size) {
        place[axis] = index + 1;
        break;
      }
      from -= stride * size;
      place[axis] = 0;
    }
  }
  return result;
}
