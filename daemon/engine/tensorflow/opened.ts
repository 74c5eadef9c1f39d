import type { Binding } from './binding.ts';
import type { CApi, Pointer } from './cApi.ts';

/** The open TensorFlow, as traced functions use it. */
export interface OpenedTensorFlow {
  readonly c: CApi;
  readonly context: Pointer;
  readonly status: Pointer;
  readonly binding: Binding;
  /** A name that no other variable or function of this process has. */
  uniqueName(prefix: string, name: string): string;
}
