import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { TracedStep } from './platform.ts';
import type { Session } from './session.ts';
import {
  asArray,
  checkValues,
  inputsOf,
  outputsOf,
  refusal,
  type StepDefinition,
  type StepInput,
  type StepValue,
} from './stepDefinition.ts';
import type { TensorValues } from './tensorValues.ts';

/** A step that a single call executes; made by `engine.compile`. */
export class CompiledStep<I extends string = string, O extends string = string> {
  /** Undefined in an eager step, and after `dispose`. */
  private traced: TracedStep<I, O> | undefined;
  /** Calls that have not ended. */
  private running = 0;
  private disposed = false;

  /** @internal */
  constructor(
    private readonly session: Session,
    readonly definition: StepDefinition<I, O>,
  ) {
    if (definition.executor !== 'eager') this.traced = session.platform.trace(session, definition);
  }

  /**
   * Executes the step. The event loop stays free (except with the executor `eager`).
   * @param values every declared input, in its declared shape; copied before this returns its promise
   * @returns a copy of every output, in C order (an int32 output is in fact an Int32Array, bool and uint8 a Uint8Array, int64 a
   * BigInt64Array)
   * @throws UnimissError 'engine' for a missing, unknown or ill-shaped input, for a second call during the first unless the engine
   * queues calls, after `dispose`, and with the engine's words if an op fails. The step can then run again, but variables may be
   * partly updated, or lost
   */
  async run(values: Record<I, StepValue>): Promise<Record<O, Float32Array>> {
    checkValues(this.definition, values);
    if (this.running > 0 && !this.session.platform.traits.queues)
      throw refusal(this.definition, 'the step is still running');
    if (this.disposed) throw refusal(this.definition, 'the step was disposed');
    this.running++;
    try {
      return await (this.traced ? this.traced.execute(values) : this.executeEagerly(values));
    } finally {
      this.running--;
    }
  }

  /** Frees the function and its hold on captured tensors; a second call does nothing. Wait for `run` first. */
  dispose(): void {
    if (this.running > 0) throw refusal(this.definition, 'a running step cannot be disposed');
    this.disposed = true;
    const { traced } = this;
    this.traced = undefined;
    traced?.dispose();
  }

  private executeEagerly(values: Record<I, StepValue>): Record<O, Float32Array> {
    const { session, definition } = this;
    return session.withExecutor('eager', () => {
      const result: Partial<Record<O, TensorValues>> = {};
      // Read inside the tidy, which frees only what the step made, even if the body returns a tensor of the caller.
      tidy(() => {
        const inputs = inputsOf(definition).map(([name, input]) => {
          const value = asType(input, asArray(values[name]));
          return [name, session.tensor(value, input.shape)] as const;
        });
        for (const [name, tensor] of outputsOf(definition, Object.fromEntries(inputs) as Record<I, Tensor>))
          result[name] = tensor.dataSync() as Float32Array;
      });
      return result as Record<O, Float32Array>;
    });
  }
}

function asType({ dtype = 'float32' }: StepInput, values: ArrayLike<number>): Float32Array | Int32Array {
  return dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
}
