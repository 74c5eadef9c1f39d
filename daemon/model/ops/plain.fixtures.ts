import * as tf from '@tensorflow/tfjs-core';
import { type Tensor, tensor, valueAndGrads } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { Random } from '../../data/random.ts';
import type { Engine, Executor } from '../../engine/index.ts';

/** An operation on tensors of given shapes. */
export type Op = (...inputs: Tensor[]) => Tensor;

/** Σ y w for fixed weights w, so that every element of the result has a different weight. */
function weighed(y: Tensor): Tensor {
  const random = new Random('weights', ...y.shape);
  return tf.sum(
    tf.mul(
      y,
      tensor(
        Float32Array.from({ length: y.size }, () => random.normal()),
        y.shape,
      ),
    ),
  );
}

/** Value and gradients of an op in an executor. */
async function evaluate(
  engine: Engine,
  executor: Executor,
  op: Op,
  shapes: readonly number[][],
): Promise<Float32Array[]> {
  const names = shapes.map((_, i) => `x${i}`);
  const step = engine.compile({
    name: 'op',
    executor,
    inputs: Object.fromEntries(shapes.map((shape, i) => [names[i]!, { shape }])),
    body: (inputs: Record<string, Tensor>): Record<string, Tensor> => {
      const tensors = names.map((name) => inputs[name]!);
      const { grads } = valueAndGrads((...x: Tensor[]) => weighed(op(...x)))(tensors);
      return { y: op(...tensors), ...Object.fromEntries(grads.map((grad, i) => [`d${i}`, grad])) };
    },
  });
  const values = shapes.map((shape, i) => {
    const random = new Random('input', i);
    return [names[i]!, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal())] as const;
  });
  const outputs = await step.run(Object.fromEntries(values));
  step.dispose();
  return [outputs.y!, ...names.map((_, i) => outputs[`d${i}`]!)];
}

/**
 * Expects one of our ops to have the values and gradients of plain TensorFlow.js and its automatic differentiation, in eager
 * execution and as a traced graph, on normal random inputs.
 */
export async function expectSameAsPlain(
  engine: Engine,
  ours: Op,
  plain: Op,
  shapes: readonly number[][],
): Promise<void> {
  const expected = await evaluate(engine, 'eager', plain, shapes);
  for (const executor of ['eager', 'graph'] as const) {
    const actual = await evaluate(engine, executor, ours, shapes);
    actual.forEach((values, which) => {
      const reference = expected[which]!;
      const largest = reference.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      const off = values.reduce((max, value, i) => Math.max(max, Math.abs(value - reference[i]!)), 0);
      expect(values.length).toBe(reference.length);
      expect(largest).toBeGreaterThan(0);
      expect(off / largest, `${executor}: ${which === 0 ? 'value' : `gradient of input ${which - 1}`}`).toBeLessThan(
        2e-5,
      );
    });
  }
}
