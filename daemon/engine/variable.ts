import type { Tensor } from '@tensorflow/tfjs-core';
import { UnimissError } from '../../protocol/errors.ts';
import { sizeOf } from './dataType.ts';
import type { Session } from './session.ts';

/**
 * The effect of an op on a variable, for ops that must wait for it in a trace. Undefined in eager execution, where it has already
 * happened.
 */
export type Effect = Tensor | undefined;

/**
 * State in the engine's memory that lives from step to step and is updated in place (a resource variable, float32). Inside a
 * trace the variable's handle is an input of the function; reads and updates are nodes.
 */
export class Variable {
  private disposed = false;

  /** @internal use `engine.variable` */
  constructor(
    private readonly session: Session,
    readonly name: string,
    readonly shape: readonly number[],
    /** A resource tensor, for the ops that update the variable in place (stateOps.ts). */
    readonly handle: Tensor,
  ) {}

  get size(): number {
    return sizeOf(this.shape);
  }

  /**
   * The present value. In a trace, the value when this read executes.
   * @param first what the read waits for in a trace: effects of updates in the same step, or tensors
   */
  read(first: readonly Effect[] = []): Tensor {
    const attrs = { dtype: { type: 'float32' } } as const;
    const effects = first.filter((effect) => effect !== undefined);
    const read = () => this.session.execute('ReadVariableOp', [this.handle], attrs, 1, [this.shape])[0] as Tensor;
    return effects.length > 0 ? this.session.controlled(effects, read) : read();
  }

  /**
   * Replaces the value.
   * @returns the update, for a later `read` in the same step
   * @throws UnimissError 'engine' if the value has another shape or type
   */
  assign(value: Tensor | Float32Array): Effect {
    if (!(value instanceof Float32Array) && (value.dtype !== 'float32' || `${value.shape}` !== `${this.shape}`))
      throw new UnimissError(
        'engine',
        `${this.session.dtypeOf(value)}[${value.shape}] given for float32[${this.shape}]`,
        {
          place: `variable ${this.name}`,
        },
      );
    const tensor = value instanceof Float32Array ? this.session.tensor(value, this.shape) : value;
    const attrs = { dtype: { type: 'float32' } } as const;
    const [effect] = this.session.execute('AssignVariableOp', [this.handle, tensor], attrs, 0);
    if (value instanceof Float32Array) tensor.dispose();
    return effect;
  }

  /** A copy of the value, in C order of `shape`. */
  value(): Float32Array {
    const tensor = this.read();
    try {
      return tensor.dataSync<'float32'>();
    } finally {
      tensor.dispose();
    }
  }

  /** Frees its memory. Steps that use the variable fail from then on. */
  dispose(): void {
    if (this.disposed) return;
    if (this.session.binding.currentTrace)
      throw new UnimissError('engine', 'a variable cannot be disposed inside a step', {
        place: `variable ${this.name}`,
      });
    this.disposed = true;
    this.session.execute('DestroyResourceOp', [this.handle], {}, 0);
    this.handle.dispose();
  }
}
