import { DataType, type DTypeName, dtypeOfCode } from '../dataType.ts';
import { arrayOver } from '../tensorValues.ts';

/** A type of tensors: its name in StableHLO, its number in PJRT's C API (PJRT_Buffer_Type), and its size in memory. */
interface ElementType {
  readonly mlir: string;
  readonly pjrt: number;
  readonly bytes: number;
}

const elementTypes: Partial<Record<DTypeName, ElementType>> = {
  bool: { mlir: 'i1', pjrt: 1, bytes: 1 },
  int32: { mlir: 'i32', pjrt: 4, bytes: 4 },
  int64: { mlir: 'i64', pjrt: 5, bytes: 8 },
  uint8: { mlir: 'ui8', pjrt: 6, bytes: 1 },
  float16: { mlir: 'f16', pjrt: 10, bytes: 2 },
  float32: { mlir: 'f32', pjrt: 11, bytes: 4 },
  float64: { mlir: 'f64', pjrt: 12, bytes: 8 },
  bfloat16: { mlir: 'bf16', pjrt: 13, bytes: 2 },
};

/** The type behind one of TensorFlow's numbers, if PJRT has it. */
export function elementTypeOf(dtype: number): ElementType | undefined {
  const name = dtypeOfCode(dtype);
  return name && elementTypes[name];
}

export function isFloat(dtype: number): boolean {
  const floats: readonly number[] = [DataType.float16, DataType.float32, DataType.float64, DataType.bfloat16];
  return floats.includes(dtype);
}

/** An array of a type's values over a buffer. @throws RangeError for a type without one */
export function arrayOf(dtype: number, buffer: ArrayBuffer): HostArray {
  const array = arrayOver(dtype, buffer);
  if (array) return array;
  if (dtype === DataType.bfloat16 || dtype === DataType.float16) return new Uint16Array(buffer);
  throw new RangeError(`type ${dtype} has no values in JavaScript`);
}

/** Values of a tensor in JavaScript's memory; bool as bytes, 16-bit floats as their bits. */
export type HostArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array;
