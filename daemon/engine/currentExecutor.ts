import type { Executor } from './stepDefinition.ts';

let current: Executor = 'eager';

/** The executor that the ops being made are for: XLA lacks some of the fused ops that the others have. */
export function currentExecutor(): Executor {
  return current;
}

/** @internal */
export function withExecutor<T>(executor: Executor, body: () => T): T {
  const before = current;
  current = executor;
  try {
    return body();
  } finally {
    current = before;
  }
}
