import { UnimissError } from '../../protocol/errors.ts';
import type { Dtype, TensorInfo } from './safetensorsHeader.ts';

/** Values of a tensor. Types that JavaScript lacks come as their bits: F16 and BF16 as Uint16Array, F8 and BOOL as Uint8Array. */
export type TensorValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The typed array for each type; its values are little-endian, as in files. */
export const arrayOf: Record<Dtype, new (buffer: ArrayBuffer) => TensorValues> = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  U16: Uint16Array,
  I16: Int16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  U32: Uint32Array,
  I32: Int32Array,
  F32: Float32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
};

/** An open file with named tensors, which are read one by one when asked for. Must be closed. */
export interface TensorFile {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** All values of a tensor, in C order. @throws UnimissError 'checkpoint' where there is no such tensor */
  read(name: string): Promise<TensorValues>;
  /** Compares checksums. @param options `optional`: a file without checksums is accepted @throws UnimissError 'checkpoint' */
  verify(options?: { optional?: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** The types that `readFloating` reads. */
export const floatingTypes: ReadonlySet<Dtype> = new Set(['F32', 'F64', 'F16', 'BF16']);

/**
 * Values of a tensor of any floating type as float32: F16 and BF16 exactly, F64 rounded.
 * @throws UnimissError 'checkpoint' where there is no such tensor, or it has another type
 */
export async function readFloating(file: TensorFile, name: string): Promise<Float32Array> {
  const values = await file.read(name);
  const dtype = file.tensors.get(name)?.dtype;
  if (values instanceof Float32Array) return values;
  if (values instanceof Float64Array) return Float32Array.from(values);
  if (values instanceof Uint16Array && dtype === 'BF16') return fromBfloat16(values);
  if (values instanceof Uint16Array && dtype === 'F16') return fromHalf(values);
  throw new UnimissError('checkpoint', `"${name}" has the type ${dtype}, which is not a floating-point type`, {
    place: file.file,
    remedy: 'Use a file whose weights are floating-point numbers.',
  });
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (value) => value << 16).buffer);
}

/** IEEE 754 binary16: 1 bit sign, 5 bits exponent (bias 15), 10 bits fraction. */
function fromHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (value) => {
    const sign = value & 0x8000 ? -1 : 1;
    const exponent = (value >> 10) & 31;
    const fraction = value & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}
