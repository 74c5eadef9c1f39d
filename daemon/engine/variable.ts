import type { Tensor } from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';
import { rawOp } from './raw-op.ts';
import { sizeOf } from './tensors.ts';

/**
 * State that lives in TensorFlow's memory from step to step and is updated in place (a resource variable, float32).
 * Inside a trace the variable's handle is an input of the function; reads and updates are nodes.
 */
export class Variable {
  private disposed = false;

  /** @internal use `engine.variable` */
  constructor(
    private readonly engine: Engine,
    readonly name: string,
    readonly shape: readonly number[],
    /** A resource tensor: hand it to raw ops such as ResourceApplyAdam. */
    readonly handle: Tensor,
  ) {}

  get size(): number {
    return sizeOf(this.shape);
  }

  /** Its value now, or (in a trace) when this read is executed: order it with `controlled` where an update is in the same step. */
  read(): Tensor {
    return rawOp('ReadVariableOp', [this.handle], { dtype: { type: 'float32' } }, { shape: this.shape });
  }

  /** Replaces the value. In a trace, the result names the update for `controlled`. */
  assign(value: Tensor | Float32Array): Tensor | undefined {
    const tensor = value instanceof Float32Array ? this.engine.tensor(value, this.shape) : value;
    const effect = rawOp('AssignVariableOp', [this.handle, tensor], { dtype: { type: 'float32' } }, { outputs: 0 });
    if (value instanceof Float32Array) tensor.dispose();
    return effect;
  }

  /** A copy of the value, in C order of `shape`. */
  value(): Float32Array {
    const tensor = this.read();
    try {
      return tensor.dataSync() as Float32Array;
    } finally {
      tensor.dispose();
    }
  }

  /** Frees TensorFlow's memory. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    rawOp('DestroyResourceOp', [this.handle], {}, { outputs: 0 });
    this.handle.dispose();
  }
}
