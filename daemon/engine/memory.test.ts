import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { UnimissError } from '../../protocol/errors.ts';
import { testEngine } from '../../test/engine.ts';
import { growth } from '../../test/memoryGrowth.ts';
import type { Engine, Executor } from './index.ts';
import { controlled, rawOp } from './rawOp.ts';

const MIB = 2 ** 20;
let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

const counts = () => [tf.memory().numTensors, tf.memory().numDataBuffers, engine.binding.getNumOfTensors()];

describe('memory', () => {
  it('does not grow over 10,000 ops', async () => {
    const x = engine.tensor(new Float32Array(1024).fill(0.5), [32, 32]);
    const before = counts();
    const grown = await growth(() => {
      for (let i = 0; i < 1_000; i++) {
        tf.tidy(() => {
          const y = tf.softmax(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D));
          const z = tf.concat([y, tf.add(y, i)], 0);
          rawOp('MatMul', [z, x], { transpose_b: { bool: true } });
          tf.sum(
            tf.transpose(
              tf.pad(z as tf.Tensor2D, [
                [1, 1],
                [0, 0],
              ]),
            ),
          ).dataSync();
          tf.mean(tf.square(y)).dataSync();
        });
      }
    });
    expect(counts()).toEqual(before);
    expect(grown).toBeLessThan(3); // 40 MiB if the results were lost, 10 MiB for 1 KiB an op
    x.dispose();
  });

  it('does not grow when ops fail', async () => {
    const x = engine.tensor(new Float32Array(6), [2, 3]);
    const before = counts();
    const grown = await growth(() => {
      for (let i = 0; i < 5_000; i++) {
        try {
          rawOp('MatMul', [x, x]);
        } catch (error) {
          if (error instanceof UnimissError) continue;
        }
        throw new Error('a product of shapes that do not fit was not refused');
      }
    });
    expect(counts()).toEqual(before);
    expect(grown).toBeLessThan(3); // 5 MiB for 1 KiB an op
    x.dispose();
  });

  it('of strings is freed, long ones too', async () => {
    const long = 'x'.repeat(10_000);
    const before = counts();
    const grown = await growth(() => {
      for (let i = 0; i < 2_000; i++) {
        const t = tf.tensor1d([long, `${i}`]);
        rawOp('Identity', [t]).dispose();
        t.dispose();
      }
    });
    expect(counts()).toEqual(before);
    expect(grown).toBeLessThan(4); // 19 MiB went through
  });

  it.each<Executor>(['graph', 'xla', 'eager'])('does not grow over 500 steps with variables (%s)', async (executor) => {
    const w = engine.variable('w', [256, 256], new Float32Array(65_536).fill(0.01));
    const step = engine.compile({
      name: 'memory',
      inputs: { x: { shape: [64, 256] }, rate: { shape: [] } },
      executor,
      body: ({ x, rate }) => {
        const now = w.read();
        const { value, grad } = tf.valueAndGrad(
          (p: tf.Tensor) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, p as tf.Tensor2D))) as tf.Scalar,
        )(now);
        controlled([grad], () => w.assign(tf.sub(now, tf.mul(grad, rate))));
        return { loss: value, grad };
      },
    });
    const x = new Float32Array(64 * 256).fill(0.1);
    const before = counts();
    const grown = await growth(async () => {
      for (let i = 0; i < 167; i++) await step.run({ x, rate: 0.001 });
    });
    expect(counts()).toEqual(before);
    // 167 steps: 42 MiB if one gradient a step were lost, 10 MiB for an input
    expect(grown).toBeLessThan(2);
    step.dispose();
    w.dispose();
    expect(counts()).toEqual([before[0]! - 1, before[1]! - 1, before[2]! - 1]);
  });

  it('of a step, its captured tensors and its variables goes when they are disposed', async () => {
    const size = 4 * MIB; // 16 MiB
    const before = counts();
    const grown = await growth(async () => {
      const captured = tf.fill([size], 0.5);
      const variable = engine.variable('big', [size]);
      const step = engine.compile({
        name: 'held',
        inputs: { x: { shape: [] } },
        executor: 'graph',
        body: ({ x }) => ({ y: tf.add(tf.sum(tf.mul(captured, x)), tf.sum(variable.read())) }),
      });
      captured.dispose();
      expect((await step.run({ x: 2 })).y[0]).toBe(size);
      step.dispose();
      variable.dispose();
    });
    expect(counts()).toEqual(before);
    expect(grown).toBeLessThan(4);
  });

  it('does not grow when steps fail, at run time or in the trace', async () => {
    const captured = engine.tensor(new Float32Array(65_536), [65_536]);
    const step = engine.compile({
      name: 'failing',
      inputs: { at: { shape: [1], dtype: 'int32' }, x: { shape: [16_384] } },
      executor: 'graph',
      body: ({ at, x }) => ({
        y: rawOp('GatherV2', [tf.concat([captured, x]), at, tf.scalar(0, 'int32')], {}),
      }),
    });
    const x = new Float32Array(16_384);
    const before = counts();
    const grown = await growth(async () => {
      for (let i = 0; i < 100; i++) {
        await expect(step.run({ at: Int32Array.of(-1), x })).rejects.toThrow('not in [0, 81920)');
        const fresh = tf.fill([262_144], i);
        expect(() =>
          engine.compile({
            name: 'broken',
            inputs: { x: { shape: [16_384] } },
            executor: 'graph',
            body: ({ x }) => ({ y: tf.add(tf.tile(fresh, [100]), rawOp('MatMul', [x, x])) }),
          }),
        ).toThrow('MatMul(float32[16384], float32[16384]) in step broken');
        fresh.dispose();
      }
    });
    expect(counts()).toEqual(before);
    expect(grown).toBeLessThan(2); // 100 MiB if a captured tensor, 6 MiB if an input were lost each time
    step.dispose();
    captured.dispose();
  });

  // This test comes last: what it frees would hide the leaks of others.
  it('of a disposed tensor serves the next one', async () => {
    const count = 16 * MIB;
    const values = new Float32Array(count).fill(1); // 64 MiB
    const grown = await growth(() => {
      const big = engine.tensor(values, [count]);
      const double = tf.add(big, big);
      expect(tf.max(double).dataSync()[0]).toBe(2);
      big.dispose();
      double.dispose();
    });
    // TensorFlow's allocator keeps its memory, so resident memory does not fall; it would grow by 128 MiB if they were not freed.
    expect(grown).toBeLessThan(16);
  });
});
