import type { Attr } from '../attributes.ts';
import { DataType } from '../dataType.ts';
import type { CApi, Pointer } from './cApi.ts';
import { checkStatus } from './status.ts';

/** int64 dimensions for C. */
export function dims64(shape: readonly number[]): BigInt64Array {
  return BigInt64Array.from(shape, BigInt);
}

/** A TFE_Op (`eager`), or the TF_OperationDescription of a node of an unfinished graph (`graph`). */
export interface UnfinishedOp {
  readonly kind: 'eager' | 'graph';
  readonly pointer: Pointer;
}

/** Sets one attribute on an op. */
export function setAttribute(
  c: CApi,
  { kind, pointer: target }: UnfinishedOp,
  name: string,
  attr: Attr,
  status: Pointer,
): void {
  const eager = kind === 'eager';
  if ('type' in attr) {
    (eager ? c.TFE_OpSetAttrType : c.TF_SetAttrType)(target, name, DataType[attr.type]);
  } else if ('types' in attr) {
    const values = Int32Array.from(attr.types, (t) => DataType[t]);
    (eager ? c.TFE_OpSetAttrTypeList : c.TF_SetAttrTypeList)(target, name, values, values.length);
  } else if ('int' in attr) {
    (eager ? c.TFE_OpSetAttrInt : c.TF_SetAttrInt)(target, name, attr.int);
  } else if ('ints' in attr) {
    const values = dims64(attr.ints);
    (eager ? c.TFE_OpSetAttrIntList : c.TF_SetAttrIntList)(target, name, values, values.length);
  } else if ('float' in attr) {
    (eager ? c.TFE_OpSetAttrFloat : c.TF_SetAttrFloat)(target, name, attr.float);
  } else if ('floats' in attr) {
    const values = Float32Array.from(attr.floats);
    (eager ? c.TFE_OpSetAttrFloatList : c.TF_SetAttrFloatList)(target, name, values, values.length);
  } else if ('bool' in attr) {
    (eager ? c.TFE_OpSetAttrBool : c.TF_SetAttrBool)(target, name, attr.bool ? 1 : 0);
  } else if ('string' in attr) {
    const bytes = Buffer.from(attr.string);
    (eager ? c.TFE_OpSetAttrString : c.TF_SetAttrString)(target, name, bytes, bytes.length);
  } else if ('strings' in attr) {
    const sizes = BigUint64Array.from(attr.strings, (s) => BigInt(Buffer.byteLength(s)));
    const set = eager ? c.TFE_OpSetAttrStringList : c.TF_SetAttrStringList;
    set(target, name, attr.strings, sizes, attr.strings.length);
  } else {
    const dims = dims64(attr.shape);
    if (eager) {
      c.TFE_OpSetAttrShape(target, name, dims, dims.length, status);
      checkStatus(c, status, () => `attribute ${name}`);
    } else c.TF_SetAttrShape(target, name, dims, dims.length);
  }
}
