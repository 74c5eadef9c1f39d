import type { Tensor } from '@tensorflow/tfjs-core';
import { UnimissError } from '../../protocol/errors.ts';
import type { Engine } from './engine.ts';
import { rawOp } from './rawOp.ts';
import { sizeOf } from './tensorflow/tensors.ts';

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

  /**
   * Replaces the value. In a trace, the result names the update for `controlled`.
   * @throws UnimissError 'engine' when the value has another shape or type
   */
  assign(value: Tensor | Float32Array): Tensor | undefined {
    if (!(value instanceof Float32Array) && (value.dtype !== 'float32' || `${value.shape}` !== `${this.shape}`))
      throw new UnimissError('engine', `${value.dtype}[${value.shape}] given for float32[${this.shape}]`, {
        place: `variable ${this.name}`,
      });
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

  /** Frees TensorFlow's memory. Steps that use the variable fail from then on. */
  dispose(): void {
    if (this.disposed) return;
    if (this.engine.binding.currentTrace)
      throw new UnimissError('engine', 'a variable cannot be disposed inside a step', {
        place: `variable ${this.name}`,
      });
    this.disposed = true;
    rawOp('DestroyResourceOp', [this.handle], {}, { outputs: 0 });
    this.handle.dispose();
  }
}
