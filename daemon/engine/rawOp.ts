import type { Tensor } from '@tensorflow/tfjs-core';
import type { Attrs } from './attributes.ts';
import { currentSession } from './current.ts';
import type { RawInput } from './session.ts';

/**
 * Executes (or, in a trace, adds) one op by its name in TensorFlow's registry. It bypasses TensorFlow.js's kernels and its
 * gradient tape, so provide gradients with `differentiable`. Only `ops/` and `stateOps.ts` call this.
 * @param options.outputs default 1. 0 for an op that only has an effect: in a trace, the result then names that effect for
 * `controlled`; in eager execution there is none
 * @param options.shape shape of the output if TensorFlow cannot infer it while tracing
 * @throws UnimissError 'engine' with the op, its inputs' types and shapes, and TensorFlow's words
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
  return currentSession().execute(type, inputs, attrs, options.outputs ?? 1, options.shape && [options.shape])[0];
}

/** In a trace, every op made inside `body` executes after `after`. In eager execution, calls decide the order. */
export function controlled<T>(after: readonly (Tensor | undefined)[], body: () => T): T {
  return currentSession().controlled(
    after.filter((t): t is Tensor => t !== undefined),
    body,
  );
}
