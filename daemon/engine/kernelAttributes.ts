import type { DataType as TfjsDType } from '@tensorflow/tfjs-core';
import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { UnimissError } from '../../protocol/errors.ts';
import type { Attr } from './attributes.ts';
import { DataType, type DTypeName, dtypeOfCode } from './dataType.ts';

/** Kinds of TFEOpAttr. The numbers are ours; the kernels only pass them back. */
export const AttrKind = { string: 1, int: 2, float: 3, bool: 4, type: 5, shape: 6, resource: 7 } as const;

/** The types with which the kernels of TensorFlow.js compute, and their names there. */
export const kernelDTypes: ReadonlyMap<number, TfjsDType> = new Map([
  [DataType.float32, 'float32'],
  [DataType.int32, 'int32'],
  [DataType.int64, 'int32'],
  [DataType.uint8, 'int32'],
  [DataType.bool, 'bool'],
  [DataType.complex64, 'complex64'],
  [DataType.string, 'string'],
]);

/** An attribute as the kernels of TensorFlow.js construct it. */
export class OpAttr {
  constructor(
    readonly name: string,
    readonly type: number,
    readonly value: unknown,
  ) {}
}

/** Translates a kernel's attribute. The kernels write integers for floats and floats for integers; arrays are lists. */
export function fromKernelAttr(op: string, { name, type, value }: TFEOpAttr): Attr {
  const list = Array.isArray(value);
  switch (type) {
    case AttrKind.string:
      return list ? { strings: value as unknown as string[] } : { string: String(value) };
    case AttrKind.int:
      return list ? { ints: value as number[] } : { int: value as number };
    case AttrKind.float:
      return list ? { floats: value as number[] } : { float: value as number };
    case AttrKind.bool:
      return { bool: Boolean(value) };
    case AttrKind.type:
      return list ? { types: (value as number[]).map(typeFromCode) } : { type: typeFromCode(value as number) };
    case AttrKind.shape:
      return { shape: value as number[] };
    default:
      throw new UnimissError('engine', `attribute "${name}" has a kind that this engine does not know (${type})`, {
        place: op,
      });
  }
}

function typeFromCode(code: number): DTypeName {
  const name = dtypeOfCode(code);
  if (!name) throw new UnimissError('engine', `data type ${code} is not known`, { place: 'attribute' });
  return name;
}
