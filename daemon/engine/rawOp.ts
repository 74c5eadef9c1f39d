import type { Tensor } from '@tensorflow/tfjs-core';
import { currentEngine } from './current.ts';
import type { Attrs } from './tensorflow/attributes.ts';

/** An input of a raw op: a tensor, or several for a list argument (`args` of _FusedMatMul, `values` of ConcatV2). */
export type RawInput = Tensor | readonly Tensor[];

/**
 * Executes (or, in a trace, adds) one TensorFlow op by its name in TensorFlow's op registry, without TensorFlow.js's kernels
 * and outside its gradient tape: give gradients with `tf.customGrad`.
 * @param options.outputs 1 by default; 0 for an op that only has an effect: in a trace the result then stands for that effect
 * in `controlled`, eagerly there is none
 * @param options.shape shape of the output where TensorFlow cannot infer it while tracing
 * @throws UnimissError 'engine' with the op, its inputs' types and shapes and TensorFlow's words
 */
export function rawOp(
  type: string,
  inputs: readonly RawInput[],
  attrs: Attrs,
  options: { outputs: 0; shape?: readonly number[] },
): Tensor | undefined;
export function rawOp(
  type: string,
  inputs: readonly RawInput[],
  attrs?: Attrs,
  options?: { shape?: readonly number[] },
): Tensor;
export function rawOp(
  type: string,
  inputs: readonly RawInput[],
  attrs: Attrs = {},
  options: { outputs?: 0; shape?: readonly number[] } = {},
): Tensor | undefined {
  return currentEngine().execute(type, inputs, attrs, options.outputs ?? 1, options.shape && [options.shape])[0];
}

/** As `rawOp`, for an op with several outputs (Split, FusedBatchNormV3, …): the first `outputs` of them. */
export function rawOps(
  type: string,
  inputs: readonly RawInput[],
  attrs: Attrs,
  outputs: number,
  shapes?: readonly (readonly number[])[],
): Tensor[] {
  return currentEngine().execute(type, inputs, attrs, outputs, shapes);
}

/**
 * In a trace: every op made inside `body` is executed after the `after` ones. Eagerly the order is that of the calls, so this
 * only runs `body`.
 */
export function controlled<T>(after: readonly (Tensor | undefined)[], body: () => T): T {
  return currentEngine().controlled(
    after.filter((t): t is Tensor => t !== undefined),
    body,
  );
}
