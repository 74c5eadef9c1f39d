import { DataType } from './dataType.ts';

/** Values of a tensor in C order: bool as Uint8Array, strings as Uint8Array[]. */
export type TensorValues = Float32Array | Int32Array | Uint8Array | Float64Array | BigInt64Array | Uint8Array[];

/** An array of a type's values over a buffer; undefined for a type whose values have no number type of their own in JavaScript. */
export function arrayOver(
  dtype: number,
  buffer: ArrayBuffer,
): Float32Array | Int32Array | Uint8Array | Float64Array | BigInt64Array | undefined {
  switch (dtype) {
    case DataType.float32:
      return new Float32Array(buffer);
    case DataType.float64:
      return new Float64Array(buffer);
    case DataType.int32:
      return new Int32Array(buffer);
    case DataType.int64:
      return new BigInt64Array(buffer);
    case DataType.bool:
    case DataType.uint8:
      return new Uint8Array(buffer);
    default:
      return undefined;
  }
}
