import { availableParallelism, totalmem } from 'node:os';

/** What a training may use. */
export interface Machine {
  readonly cores: number;
  /** Memory of the computer, bytes. */
  readonly memory: number;
  /** A GPU to train on; null: on the CPU. `memory` in bytes. */
  readonly gpu: { readonly name: string; readonly memory: number } | null;
}

/** This computer, without a GPU. */
export function thisMachine(): Machine {
  return { cores: availableParallelism(), memory: totalmem(), gpu: null };
}
