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
  /** Runs `body` when all earlier ones have ended: an executable takes its variables for itself. */
  alone<T>(body: () => Promise<T>): Promise<T>;
}
