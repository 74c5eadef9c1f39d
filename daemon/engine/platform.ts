import type { Attrs } from './attributes.ts';
import type { KernelBinding, Metadata } from './kernelBinding.ts';
import type { Executor, StepDefinition, StepValue } from './stepDefinition.ts';
import type { Tracer } from './traceBody.ts';

/** A processor or GPU that an engine computes on. */
export interface Device {
  readonly name: string;
  readonly type: string;
}

/** Bytes of the device. */
export interface DeviceMemory {
  readonly inUse: number;
  /** The most that was in use so far. */
  readonly peak?: number;
  readonly limit?: number;
}

/** What a platform can do besides the ops that every one has. */
export interface Traits {
  /** Has oneDNN's fused ops with these executors. */
  readonly fusedOps: readonly Executor[];
  /** Has ResourceApplyProximalGradientDescent. */
  readonly proximalDescent: boolean;
  /** Rounds the factors of products, but of those that say they are exact (ops/products.ts). */
  readonly roundsFactors: boolean;
  /**
   * Runs steps on a queue of its own: a call may be made while an earlier one computes, and its inputs are copied meanwhile. Calls
   * compute and end in the order in which they were made.
   */
  readonly queues: boolean;
}

/** A step's body as one function of a platform: traced once, then executed by a single call. */
export interface TracedStep<I extends string, O extends string> {
  /** Executes it on another thread. The values are copied before this returns its promise. */
  execute(values: Record<I, StepValue>): Promise<Record<O, Float32Array>>;
  /** Frees it and its hold on captured tensors. */
  dispose(): void;
}

/**
 * What computes: TensorFlow (tensorflow/platform.ts) or a plugin of PJRT (pjrt/platform.ts). Everything else in this folder and
 * above it is the same for both.
 */
export interface Platform {
  readonly binding: KernelBinding;
  /** As runs record it, such as 2.21.0. */
  readonly version: string;
  /** For people, such as `TensorFlow 2.21.0`. */
  readonly title: string;
  /** Memory of the device that it computes on, where it tells. */
  readonly memory?: DeviceMemory | undefined;
  readonly devices: readonly Device[];
  readonly traits: Traits;
  /** The executors that differ here, the default first: what `engine.executor` = `auto` measures. */
  readonly executors: readonly Executor[];
  /** @throws UnimissError 'engine' for an attribute that the op does not have */
  checkAttributes(type: string, attrs: Attrs): void;
  /** Makes a float32 variable of zeros and returns its handle, a tensor of type `resource`. */
  newVariable(name: string, shape: readonly number[]): Metadata;
  trace<I extends string, O extends string>(tracer: Tracer, definition: StepDefinition<I, O>): TracedStep<I, O>;
}
