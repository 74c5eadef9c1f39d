import type { Line } from '../line.ts';
import type { PjrtBinding } from './binding.ts';
import type { PjrtClient } from './client.ts';
import type { Executables } from './executables.ts';
import type { FactorType, ProductPrecision } from './lower/builder.ts';

/** The open plugin, as compiled modules use it. */
export interface OpenedPjrt {
  readonly client: PjrtClient;
  readonly binding: PjrtBinding;
  /** Of products of float32. */
  readonly precision: ProductPrecision;
  /** To which products of float32 round their factors. */
  readonly factors: FactorType;
  readonly executables: Executables;
  /** Submits executions one after the other: each takes its variables from the one before. */
  readonly submissions: Line;
  /** Waits for results one after the other, so that calls end in the order in which they were made. */
  readonly results: Line;
}
