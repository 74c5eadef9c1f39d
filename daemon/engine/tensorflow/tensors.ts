import { UnimissError } from '../../../protocol/errors.ts';
import { DataType, dtypeName, sizeOf } from '../dataType.ts';
import { arrayOver, type TensorValues } from '../tensorValues.ts';
import type { CApi, Pointer } from './cApi.ts';
import { dims64 } from './setAttribute.ts';
import { checkStatus } from './status.ts';

const STRING_BYTES = 24; // sizeof(TF_TString)

const elementBytes: Record<number, number> = {
  [DataType.float32]: 4,
  [DataType.float64]: 8,
  [DataType.int32]: 4,
  [DataType.uint8]: 1,
  [DataType.complex64]: 8,
  [DataType.int64]: 8,
  [DataType.bool]: 1,
  [DataType.bfloat16]: 2,
  [DataType.float16]: 2,
};

/**
 * Makes a TF_Tensor with a copy of `values`.
 * Copies with libc's memcpy: Electron, on which the daemon may run, forbids JavaScript views of foreign memory.
 * @param dtype TF_DataType
 * @throws UnimissError 'engine' if the values do not fill the shape
 */
export function newTensor(
  c: CApi,
  dtype: number,
  shape: readonly number[],
  values: TensorValues | readonly number[],
): Pointer {
  const typed = asTyped(dtype, values);
  const bytes = sizeOf(shape) * (elementBytes[dtype] ?? 0);
  if (typed.byteLength !== bytes)
    throw new UnimissError(
      'engine',
      `${typed.byteLength} bytes given for ${dtypeName(dtype)}[${shape}], which has ${bytes}`,
      {
        place: 'tensor',
      },
    );
  const tensor = c.TF_AllocateTensor(dtype, dims64(shape), shape.length, bytes) as Pointer;
  if (!tensor)
    throw new UnimissError(
      'engine',
      `no memory for ${dtypeName(dtype)}[${shape}] (${Math.ceil(bytes / 2 ** 20)} MiB)`,
      {
        remedy: 'Use a smaller batch or close other programs.',
      },
    );
  if (bytes > 0) c.memcpy(c.TF_TensorData(tensor), typed, bytes);
  return tensor;
}

function asTyped(dtype: number, values: TensorValues | readonly number[]): ArrayBufferView {
  if (dtype === DataType.float32 && !(values instanceof Float32Array)) return Float32Array.from(values as number[]);
  if (dtype === DataType.int32 && !(values instanceof Int32Array)) return Int32Array.from(values as number[]);
  if (dtype === DataType.bool && !(values instanceof Uint8Array)) return Uint8Array.from(values as number[]);
  if (Array.isArray(values))
    throw new UnimissError('engine', `values for ${dtypeName(dtype)} must be a typed array`, { place: 'tensor' });
  return values as ArrayBufferView;
}

/** A copy of a TF_Tensor's values in the form of TensorFlow.js: bool as Uint8Array, strings as Uint8Array[]. */
export function tensorValues(c: CApi, tensor: Pointer, dtype: number): TensorValues {
  const count = Number(c.TF_TensorElementCount(tensor));
  const data = dataOf(c, tensor, count);
  if (dtype === DataType.string) return stringValues(c, data, count);
  const bytes = Number(c.TF_TensorByteSize(tensor));
  const buffer = new ArrayBuffer(bytes);
  if (bytes > 0) c.memcpy(new Uint8Array(buffer), data, bytes);
  const array = arrayOver(dtype === DataType.complex64 ? DataType.float32 : dtype, buffer);
  if (array) return array;
  throw new UnimissError('engine', `values of ${dtypeName(dtype)} cannot be read; cast them first`, {
    place: 'tensor',
  });
}

/** The address of a tensor's values; 0 if there are none (TF_TensorData would crash). */
function dataOf(c: CApi, tensor: Pointer, count: number): Pointer {
  return count > 0 ? (c.TF_TensorData(tensor) as Pointer) : 0n;
}

function stringValues(c: CApi, data: Pointer, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const at = data + BigInt(i * STRING_BYTES);
    const bytes = new Uint8Array(Number(c.TF_StringGetSize(at)));
    if (bytes.length > 0) c.memcpy(bytes, c.TF_StringGetDataPointer(at), bytes.length);
    return bytes;
  });
}

/** Reads a tensor handle back to JavaScript. Waits for the device if necessary. */
export function handleValues(
  c: CApi,
  status: Pointer,
  handle: Pointer,
  dtype: number,
  shape: readonly number[],
): TensorValues {
  const tensor = c.TFE_TensorHandleResolve(handle, status) as Pointer;
  checkStatus(c, status, () => `reading ${dtypeName(dtype)}[${shape}]`);
  try {
    return tensorValues(c, tensor, dtype);
  } finally {
    c.TF_DeleteTensor(tensor);
  }
}

/** A handle on a new tensor with a copy of `values`. */
export function newHandle(
  c: CApi,
  status: Pointer,
  dtype: number,
  shape: readonly number[],
  values: TensorValues | readonly number[],
): Pointer {
  const tensor = newTensor(c, dtype, shape, values);
  try {
    const handle = c.TFE_NewTensorHandle(tensor, status) as Pointer;
    checkStatus(c, status, () => `making ${dtypeName(dtype)}[${shape}]`);
    return handle;
  } finally {
    c.TF_DeleteTensor(tensor);
  }
}

/**
 * A handle on a new tensor of strings. Its memory comes from TensorFlow's own allocator, because freeing memory of
 * TF_AllocateTensor does not free strings longer than 22 bytes.
 */
export function newStringHandle(
  c: CApi,
  context: Pointer,
  status: Pointer,
  shape: readonly number[],
  values: readonly Uint8Array[],
): Pointer {
  const count = sizeOf(shape);
  if (values.length !== count)
    throw new UnimissError('engine', `${values.length} strings given for string[${shape}], which has ${count}`, {
      place: 'tensor',
    });
  const tensor = c.TFE_AllocateHostTensor(context, DataType.string, dims64(shape), shape.length, status) as Pointer;
  checkStatus(c, status, () => `making string[${shape}]`);
  try {
    const data = dataOf(c, tensor, count);
    values.forEach((value, i) => {
      c.TF_StringCopy(data + BigInt(i * STRING_BYTES), value, value.length);
    });
    const handle = c.TFE_NewTensorHandle(tensor, status) as Pointer;
    checkStatus(c, status, () => `making string[${shape}]`);
    return handle;
  } finally {
    c.TF_DeleteTensor(tensor);
  }
}

/** Type and shape of a handle. */
export function describeHandle(c: CApi, status: Pointer, handle: Pointer): { dtype: number; shape: number[] } {
  const rank = c.TFE_TensorHandleNumDims(handle, status) as number;
  checkStatus(c, status, () => 'reading a shape');
  const shape = Array.from({ length: rank }, (_, i) => Number(c.TFE_TensorHandleDim(handle, i, status)));
  return { dtype: c.TFE_TensorHandleDataType(handle) as number, shape };
}
