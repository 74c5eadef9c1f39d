/**
 * The types of tensors, by TensorFlow's names and numbers (tensorflow/core/framework/types.proto). Together with the ops of
 * `ops/`, they are the vocabulary of traced steps.
 */
export const DataType = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  float16: 19,
  resource: 20,
} as const;
export type DTypeName = keyof typeof DataType;

const names = new Map(Object.keys(DataType).map((name) => [DataType[name as DTypeName] as number, name as DTypeName]));

/** The type with a number, if the engine knows it. */
export function dtypeOfCode(code: number): DTypeName | undefined {
  return names.get(code);
}

/** The name of a type, for messages. */
export function dtypeName(code: number): string {
  return names.get(code) ?? `type ${code}`;
}

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
