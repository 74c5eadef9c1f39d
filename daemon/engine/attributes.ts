import type { DTypeName } from './dataType.ts';

/** An attribute of an op. The key names its kind (AttrValue in tensorflow/core/framework/attr_value.proto). */
export type Attr =
  | { type: DTypeName }
  | { types: readonly DTypeName[] }
  | { int: number }
  | { ints: readonly number[] }
  | { float: number }
  | { floats: readonly number[] }
  | { bool: boolean }
  | { string: string }
  | { strings: readonly string[] }
  | { shape: readonly number[] };
export type Attrs = Readonly<Record<string, Attr>>;
