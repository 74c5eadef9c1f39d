import type { PjrtBinding } from './binding.ts';
import type { PjrtClient } from './client.ts';
import type { XlaFlags } from './compileOptions.ts';

/** The open plugin, as compiled modules use it. */
export interface OpenedPjrt {
  readonly client: PjrtClient;
  readonly binding: PjrtBinding;
  /** Of products of float32. */
  readonly precision: 'DEFAULT' | 'HIGHEST';
  /** Options of XLA for every executable. */
  readonly flags: XlaFlags;
  /** Runs `body` when all earlier ones have ended: an executable takes its variables for itself. */
  alone<T>(body: () => Promise<T>): Promise<T>;
}
