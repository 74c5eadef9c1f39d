import type { Dtype } from '../safetensorsHeader.ts';

/** What pickles of PyTorch files are made of. Lists are arrays, dictionaries are maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleValue[]
  | Map<DictKey, PickleValue>
  | Tuple
  | Name
  | Namespace
  | Storage
  | StoredTensor;

export type DictKey = string | number | boolean | null;

/** A tuple: the file cannot change it. */
export class Tuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A name of a Python module, of the closed list in names.ts. */
export class Name {
  constructor(readonly name: string) {}
}

/** `argparse.Namespace`: the options that a program was called with. */
export class Namespace {
  /** Set once. Not copied: a file may give one dictionary to any number of objects. */
  fields: ReadonlyMap<DictKey, PickleValue> | undefined;
}

/** Numbers that tensors share, elsewhere in the file. */
export class Storage {
  constructor(
    readonly key: string,
    /** null for bytes whose type the tensor says. */
    readonly dtype: Dtype | null,
    /** Elements; bytes where the type is null. */
    readonly length: number,
  ) {}
}

/** A view of a storage. Offset and strides count elements. */
export class StoredTensor {
  constructor(
    readonly storage: Storage,
    readonly dtype: Dtype,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}
