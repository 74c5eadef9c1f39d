/** Values of a tensor in C order: bool as Uint8Array, strings as Uint8Array[]. */
export type TensorValues = Float32Array | Int32Array | Uint8Array | Float64Array | BigInt64Array | Uint8Array[];
