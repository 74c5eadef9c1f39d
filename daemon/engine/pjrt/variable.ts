import { UnimissError } from '../../../protocol/errors.ts';
import { DataType } from '../dataType.ts';
import type { Pointer } from './api.ts';
import type { ArrayType, PjrtClient } from './client.ts';
import { explained } from './pjrtError.ts';

/**
 * State on the device, float32. A step that changes it takes its buffer and gives another one with the same memory, when it is
 * submitted; the value is there when the step has ended, for which `value` waits.
 */
export class PjrtVariable {
  readonly type: ArrayType;
  private buffer: Pointer | undefined;
  /** The step that has the buffer now. */
  private lent: string | undefined;
  /** The step that failed and took the value with it. */
  private lost: string | undefined;

  constructor(
    private readonly client: PjrtClient,
    readonly name: string,
    shape: readonly number[],
    values: Float32Array,
  ) {
    this.type = { dtype: DataType.float32, shape: [...shape] };
    this.buffer = this.put(values);
  }

  /** A copy of the value. @throws UnimissError 'engine' while a step takes it, after `dispose`, or if a step lost it */
  value(): Float32Array {
    const buffer = this.present();
    return this.explaining(() => this.client.fetch(this.type, buffer)) as Float32Array;
  }

  /** @throws UnimissError 'engine' while a step takes it, or if the device has no memory for the new value; the old one stays */
  assign(values: Float32Array): void {
    if (this.lent) throw this.refusal(`step ${this.lent} is changing it`);
    const buffer = this.put(values);
    if (this.buffer !== undefined) this.client.free(this.buffer);
    this.buffer = buffer;
    this.lost = undefined;
  }

  /** The buffer, for a step. Until `replace`, nobody else may use it. */
  lend(step: string): Pointer {
    const buffer = this.present();
    this.lent = step;
    return buffer;
  }

  /** Ends a loan. @param buffer the new value; undefined: the step did not change it */
  replace(buffer?: Pointer): void {
    const step = this.lent;
    this.lent = undefined;
    if (this.buffer === undefined) return;
    if (buffer !== undefined) {
      this.client.free(this.buffer);
      this.buffer = buffer;
    } else if (this.client.isDeleted(this.buffer)) {
      this.client.free(this.buffer);
      this.buffer = undefined;
      this.lost = step;
    }
  }

  /** Gives up a buffer, whose value a step failed to compute. A step that took it since then fails as well, and gives up its own. */
  lose(buffer: Pointer | undefined, step: string): void {
    if (this.lent || this.buffer === undefined || this.buffer !== buffer) return;
    this.client.free(this.buffer);
    this.buffer = undefined;
    this.lost = step;
  }

  dispose(): void {
    if (this.lent) throw this.refusal(`step ${this.lent} is using it`);
    if (this.buffer !== undefined) this.client.free(this.buffer);
    this.buffer = undefined;
  }

  private present(): Pointer {
    if (this.lent) throw this.refusal(`step ${this.lent} is using it`);
    if (this.buffer !== undefined) return this.buffer;
    throw this.refusal(this.lost ? `its value was lost when step ${this.lost} failed` : 'it was disposed');
  }

  private put(values: Float32Array): Pointer {
    return this.explaining(() => this.client.put(this.type, values));
  }

  private explaining<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw explained(error, `variable ${this.name}`, NO_MEMORY);
    }
  }

  private refusal(why: string): UnimissError {
    return new UnimissError('engine', why, { place: `variable ${this.name}` });
  }
}

/** State does not depend on the batch. */
const NO_MEMORY = 'Close other programs that use the device, or choose a smaller model (model.preset).';
