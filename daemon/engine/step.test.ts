import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { testEngine } from '../../test/engine.ts';
import { currentSession } from './current.ts';
import type { Engine, Executor, Variable } from './index.ts';
import { controlled, rawOp } from './rawOp.ts';

const executors: Executor[] = ['graph', 'xla', 'eager'];
const compiled: Executor[] = ['graph', 'xla'];

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

/** One AdamW-like update in place, by TensorFlow's fused op. */
function applyAdam(variable: Variable, m: Variable, v: Variable, gradient: tf.Tensor, rate: tf.Tensor): void {
  const float = { type: 'float32' } as const;
  const [power1, power2, beta1, beta2, epsilon] = [0.9, 0.999, 0.9, 0.999, 1e-8].map((x) => tf.scalar(x));
  rawOp(
    'ResourceApplyAdam',
    [
      variable.handle,
      m.handle,
      v.handle,
      ...([power1, power2] as tf.Tensor[]),
      rate,
      ...([beta1, beta2, epsilon] as tf.Tensor[]),
      gradient,
    ],
    { T: float },
    { outputs: 0 },
  );
}

describe.each(executors)('a step (%s)', (executor) => {
  it('gives its outputs by name, whatever they are', async () => {
    const outside = engine.tensor(Float32Array.of(1, 2, 3, 4), [2, 2]);
    const step = engine.compile({
      name: 'outputs',
      inputs: { x: { shape: [2] }, n: { shape: [], dtype: 'int32' } },
      executor,
      body: ({ x, n }) => {
        const sum = tf.add(x, 1);
        return {
          input: x,
          again: x,
          sum,
          twice: sum,
          constant: tf.scalar(7),
          captured: outside,
          int: tf.add(n, tf.scalar(1, 'int32')),
          bool: tf.greater(x, 5),
          int64: rawOp('Cast', [n], { SrcT: { type: 'int32' }, DstT: { type: 'int64' } }),
          uint8: rawOp('Cast', [n], { SrcT: { type: 'int32' }, DstT: { type: 'uint8' } }),
        };
      },
    });
    const run = () => step.run({ x: Float32Array.of(5, 6), n: 16777217 });
    const first: Record<string, ArrayLike<number | bigint>> = await run();
    expect(first).toEqual({
      input: Float32Array.of(5, 6),
      again: Float32Array.of(5, 6),
      sum: Float32Array.of(6, 7),
      twice: Float32Array.of(6, 7),
      constant: Float32Array.of(7),
      captured: Float32Array.of(1, 2, 3, 4),
      int: Int32Array.of(16777218),
      bool: Uint8Array.of(0, 1),
      int64: BigInt64Array.of(16777217n),
      uint8: Uint8Array.of(1),
    });
    expect(await run()).toEqual(first);
    expect(outside.isDisposed).toBe(false);
    step.dispose();
    expect(Array.from(outside.dataSync())).toEqual([1, 2, 3, 4]);
    outside.dispose();
  });

  it('changes with each declared input', async () => {
    const step = engine.compile({
      name: 'inputs',
      inputs: { a: { shape: [2] }, b: { shape: [2] }, rate: { shape: [] }, seed: { shape: [2], dtype: 'int32' } },
      executor,
      body: ({ a, b, rate, seed }) => {
        const shape = tf.tensor1d([2], 'int32');
        const noise = rawOp('StatelessRandomUniform', [shape, seed], { dtype: { type: 'float32' } });
        return { y: tf.add(tf.add(tf.mul(tf.sub(a, b), rate), 0), noise) };
      },
    });
    const values = { a: Float32Array.of(1, 2), b: Float32Array.of(3, 5), rate: 0.5, seed: Int32Array.of(1, 2) };
    const { y } = await step.run(values);
    expect((await step.run(values)).y).toEqual(y);
    for (const other of [
      { a: Float32Array.of(1, 2.5) },
      { b: Float32Array.of(3.5, 5) },
      { rate: 0.25 },
      { seed: Int32Array.of(1, 3) },
    ])
      expect((await step.run({ ...values, ...other })).y).not.toEqual(y);
    step.dispose();
  });

  it('computes what was declared, in the order of the declaration, with captured tensors after', async () => {
    const captured = engine.tensor(Float32Array.of(100), []);
    const step = engine.compile({
      name: 'order',
      inputs: { a: { shape: [] }, b: { shape: [] } },
      executor,
      // The trace meets the captured tensor before the inputs.
      body: ({ a, b }) => ({ y: tf.add(tf.sub(captured, a), tf.mul(b, 10)) }),
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 }), async (a, b) => {
        expect((await step.run({ b, a })).y[0]).toBe(100 - a + 10 * b);
      }),
      { numRuns: 20 },
    );
    step.dispose();
    captured.dispose();
  });

  it('copies its inputs before it returns', async () => {
    const step = engine.compile({
      name: 'copy',
      inputs: { x: { shape: [3] } },
      executor,
      body: ({ x }) => ({ y: tf.add(x, 1) }),
    });
    const x = Float32Array.of(1, 2, 3);
    const running = step.run({ x });
    x.fill(99);
    expect((await running).y).toEqual(Float32Array.of(2, 3, 4));
    step.dispose();
  });

  it('keeps state in variables, also without an output', async () => {
    const total = engine.variable('total', [2], Float32Array.of(1, 2));
    const step = engine.compile({
      name: 'state',
      inputs: { x: { shape: [2] } },
      executor,
      body: ({ x }) => {
        total.assign(tf.add(total.read(), x));
        return {};
      },
    });
    for (let i = 0; i < 3; i++) expect(await step.run({ x: Float32Array.of(10, 20) })).toEqual({});
    expect(total.value()).toEqual(Float32Array.of(31, 62));
    step.dispose();
    total.dispose();
  });

  it('orders reads and updates as controlled says', async () => {
    const v = engine.variable('v', [], Float32Array.of(1));
    const step = engine.compile({
      name: 'order',
      inputs: { x: { shape: [] } },
      executor,
      body: ({ x }) => {
        const before = tf.mul(v.read(), 1);
        const first = controlled([before], () => v.assign(tf.add(before, x)));
        const between = controlled([first], () => v.read());
        const second = controlled([between], () => v.assign(tf.mul(between, 2)));
        const after = controlled([second], () => v.read());
        return { before, between, after };
      },
    });
    expect(await step.run({ x: 4 })).toEqual({
      before: Float32Array.of(1),
      between: Float32Array.of(5),
      after: Float32Array.of(10),
    });
    expect((await step.run({ x: 0 })).after).toEqual(Float32Array.of(20));
    step.dispose();
    v.dispose();
  });

  it('orders nested, and after inputs, constants and effects of ops with results', async () => {
    const v = engine.variable('v', [], Float32Array.of(3));
    const step = engine.compile({
      name: 'nested',
      inputs: { x: { shape: [] } },
      executor,
      body: ({ x }) => {
        const effect = rawOp('Identity', [x], {}, { outputs: 0 });
        return {
          y: controlled([x, tf.scalar(1), effect], () =>
            controlled([v.assign(tf.neg(x))], () => tf.add(v.read(), 0.5)),
          ),
        };
      },
    });
    expect((await step.run({ x: 4 })).y).toEqual(Float32Array.of(-3.5));
    step.dispose();
    v.dispose();
  });

  it('gives bit-equal numbers when it is repeated', async () => {
    const start = Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i));
    const [w, m, v] = ['w', 'm', 'v'].map((name) => engine.variable(name, [64, 64])) as [Variable, Variable, Variable];
    const step = engine.compile({
      name: 'adam',
      inputs: { x: { shape: [32, 64] }, rate: { shape: [] } },
      executor,
      body: ({ x, rate }) => {
        const weights = w.read();
        const loss = (p: tf.Tensor) =>
          tf.mean(tf.square(tf.tanh(tf.matMul(x as tf.Tensor2D, p as tf.Tensor2D)))) as tf.Scalar;
        const { value, grad } = tf.valueAndGrad(loss)(weights);
        controlled([value, grad], () => applyAdam(w, m, v, grad, rate));
        return { loss: value };
      },
    });
    const runs: { losses: number[]; weights: Float32Array }[] = [];
    for (let repeat = 0; repeat < 2; repeat++) {
      w.assign(start);
      for (const moment of [m, v]) moment.assign(new Float32Array(64 * 64));
      const losses: number[] = [];
      for (let i = 0; i < 8; i++) {
        const x = Float32Array.from({ length: 32 * 64 }, (_, k) => Math.cos(k + i));
        losses.push((await step.run({ x, rate: 0.01 })).loss[0] as number);
      }
      runs.push({ losses, weights: w.value() });
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[0]?.losses.at(-1)).toBeLessThan(runs[0]?.losses[0] as number);
    step.dispose();
    for (const variable of [w, m, v]) variable.dispose();
  });

  it('runs beside another step', async () => {
    const make = (factor: number) =>
      engine.compile({
        name: `times${factor}`,
        inputs: { x: { shape: [64, 64] } },
        executor,
        body: ({ x }) => ({ y: tf.mul(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), factor) }),
      });
    const [two, three] = [make(2), make(3)];
    const x = new Float32Array(64 * 64).fill(1);
    for (let i = 0; i < 10; i++) {
      const [a, b, c] = await Promise.all([two.run({ x }), three.run({ x }), engine.tensor(x, [64, 64]).data()]);
      expect(a.y[i]).toBe(128);
      expect(b.y[i]).toBe(192);
      expect(c[i]).toBe(1);
    }
    two.dispose();
    three.dispose();
  });

  it('refuses inputs that are missing, unknown or ill-shaped', async () => {
    const step = engine.compile({
      name: 'strict',
      inputs: { x: { shape: [2] }, n: { shape: [2], dtype: 'int32' } },
      executor,
      body: ({ x, n }) => ({ y: tf.add(x, tf.cast(n, 'float32')) }),
    });
    const good = { x: Float32Array.of(1, 2), n: Int32Array.of(1, 2) };
    const run = (values: object) => step.run(values as typeof good);
    await expect(run({ x: good.x })).rejects.toThrow('step strict: input "n" is missing');
    await expect(run({ ...good, z: 1 })).rejects.toThrow('step strict: "z" is not an input of this step');
    await expect(run({ ...good, toString: 1 })).rejects.toThrow('"toString" is not an input');
    await expect(run({ ...good, x: Float32Array.of(1) })).rejects.toThrow('input "x" has 1 values; float32[2] needs 2');
    await expect(run({ ...good, x: 1 })).rejects.toThrow('input "x" has 1 values');
    await expect(run({ ...good, n: Float32Array.of(1, 1.5) })).rejects.toThrow('has the value 1.5, which int32[2]');
    expect((await run(good)).y).toEqual(Float32Array.of(2, 4));
    step.dispose();
  });

  it('can be run after it failed', async () => {
    const limit = engine.variable('limit', [], Float32Array.of(0));
    const step = engine.compile({
      name: 'failing',
      inputs: { at: { shape: [1], dtype: 'int32' } },
      executor: executor === 'xla' ? 'graph' : executor, // XLA clamps the index instead of failing
      body: ({ at }) => ({
        y: rawOp('GatherV2', [tf.tensor1d([10, 20]), at, tf.scalar(0, 'int32')], {
          Tparams: { type: 'float32' },
          Tindices: { type: 'int32' },
          Taxis: { type: 'int32' },
        }),
      }),
    });
    for (let i = 0; i < 3; i++) {
      await expect(step.run({ at: Int32Array.of(7) })).rejects.toThrow(/indices\[0\] = 7 is not in \[0, 2\)/);
      expect((await step.run({ at: Int32Array.of(1) })).y).toEqual(Float32Array.of(20));
    }
    step.dispose();
    limit.dispose();
  });

  it('fails with a message when its variable is gone', async () => {
    const v = engine.variable('short-lived', [1], Float32Array.of(1));
    const step = engine.compile({
      name: 'orphan',
      inputs: {},
      executor,
      body: () => ({ y: tf.add(v.read(), 1) }),
    });
    expect((await step.run({})).y).toEqual(Float32Array.of(2));
    v.dispose();
    v.dispose();
    await expect(step.run({})).rejects.toMatchObject({ code: 'engine' });
    step.dispose();
  });

  it('refuses a second call during the first, and any after dispose', async () => {
    const step = engine.compile({
      name: 'once',
      inputs: { x: { shape: [] } },
      executor,
      body: ({ x }) => ({ y: tf.add(x, 1) }),
    });
    const running = step.run({ x: 1 });
    expect(() => step.dispose()).toThrow('step once: a running step cannot be disposed');
    await expect(step.run({ x: 1 })).rejects.toThrow('step once: the step is still running');
    expect((await running).y).toEqual(Float32Array.of(2));
    step.dispose();
    step.dispose();
    await expect(step.run({ x: 1 })).rejects.toThrow('step once: the step was disposed');
  });

  it('tells its body the executor', async () => {
    const seen: Executor[] = [];
    const step = engine.compile({
      name: 'told',
      inputs: {},
      executor,
      body: () => {
        seen.push(engine.executor);
        return {};
      },
    });
    await step.run({});
    expect(seen).toEqual([executor]);
    expect(engine.executor).toBe('eager');
    step.dispose();
  });

  it('leaves no tensors behind, also when its body throws', async () => {
    const count = () => [tf.memory().numTensors, tf.memory().numDataBuffers, engine.binding.getNumOfTensors()];
    const outside = engine.tensor(Float32Array.of(1), []);
    const before = count();
    const step = engine.compile({
      name: 'tidy',
      inputs: { x: { shape: [4] } },
      executor,
      body: ({ x }) => ({ y: tf.softmax(tf.mul(tf.add(x, outside), 2)), x }),
    });
    for (let i = 0; i < 3; i++) await step.run({ x: new Float32Array(4) });
    expect(count()).toEqual(before);
    step.dispose();
    const fail = async () => {
      const failing = engine.compile({
        name: 'fail',
        inputs: { x: { shape: [4] } },
        executor,
        body: ({ x }) => {
          tf.add(x, outside);
          throw new Error('own words');
        },
      });
      await failing.run({ x: new Float32Array(4) });
    };
    await expect(fail()).rejects.toThrow('own words');
    expect(count()).toEqual(before);
    outside.dispose();
  });
});

describe.each(compiled)('tracing (%s)', (executor) => {
  const trace = (body: (x: tf.Tensor) => unknown) =>
    engine.compile({
      name: 'bad',
      inputs: { x: { shape: [2, 3] } },
      executor,
      body: ({ x }) => body(x) as Record<string, tf.Tensor>,
    });

  it.each<[string, RegExp | string, (x: tf.Tensor) => unknown]>([
    [
      'a read',
      /float32\[2,3\] in step bad: a tensor cannot be read while its step is being traced/,
      (x) => x.dataSync(),
    ],
    ['a read of a result', /cannot be read while its step is being traced/, (x) => tf.sum(x).arraySync()],
    ['TensorFlow.js drawing', /random numbers drawn while tracing/, () => tf.randomUniform([2])],
    ['TensorFlow.js drawing normally', /random numbers drawn while tracing/, () => tf.randomNormal([2])],
    ['dropout', /random numbers drawn while tracing/, (x) => tf.dropout(x, 0.5)],
    ['Math.random', /random numbers drawn while tracing/, () => Math.random()],
    [
      'TensorFlow drawing',
      /RandomUniform in step bad: random numbers/,
      () => rawOp('RandomUniform', [tf.tensor1d([2], 'int32')], { dtype: { type: 'float32' } }),
    ],
    ['multinomial', /Multinomial in step bad: random/, (x) => tf.multinomial(x as tf.Tensor2D, 2, 7)],
    [
      'shapes that do not fit',
      /MatMul\(float32\[2,3\], float32\[2,3\]\) in step bad: TensorFlow: Dimensions must be equal/,
      (x) => rawOp('MatMul', [x, x]),
    ],
    [
      'an op that is not there',
      /Nope\(float32\[2,3\]\) in step bad: TensorFlow: Op type not registered 'Nope'/,
      (x) => rawOp('Nope', [x]),
    ],
    [
      'an attribute that is not there',
      /attribute nope of Neg: TensorFlow: Attribute 'nope' does not exist/,
      (x) => rawOp('Neg', [x], { nope: { int: 1 } }),
    ],
    [
      'a shape that depends on values',
      /Where in step bad: the shape of output 0 is not known while tracing/,
      (x) => rawOp('Where', [x], { T: { type: 'float32' } }),
    ],
    ['a promise', 'step bad: the body must return its outputs by name, and not as a promise', async (x) => ({ x })],
    ['no outputs object', 'step bad: the body must return its outputs by name', () => undefined],
    ['an output that is no tensor', 'step bad: output "y" is not a tensor', () => ({ y: 1 })],
    [
      'an output that cannot be read',
      'step bad: output "y" is bfloat16[2,3], which cannot be read; cast it first',
      (x) => ({ y: rawOp('Cast', [x], { SrcT: { type: 'float32' }, DstT: { type: 'bfloat16' } }) }),
    ],
    [
      'an effect as an output',
      'step bad: output "y" is the effect of an op, not a value',
      (x) => ({ y: rawOp('Identity', [x], {}, { outputs: 0 }) }),
    ],
    [
      'a variable made inside',
      'variable v in step bad: a variable cannot be made inside a step',
      () => engine.variable('v', [1]),
    ],
    [
      'a step compiled inside',
      'inner: step bad is being traced already',
      () => engine.compile({ name: 'inner', inputs: {}, executor, body: () => ({}) }),
    ],
  ])('refuses %s, and the engine stays usable', async (_, message, body) => {
    const { random } = Math;
    const before = [tf.memory().numTensors, engine.binding.getNumOfTensors()];
    expect(() => trace(body)).toThrow(message);
    expect([tf.memory().numTensors, engine.binding.getNumOfTensors()]).toEqual(before);
    expect(Math.random).toBe(random);
    expect(engine.executor).toBe('eager');
    const step = trace((x) => ({ y: tf.grad((v) => tf.square(v))(x) }));
    expect((await step.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6) })).y).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12));
    step.dispose();
  });

  it('refuses tensors of a trace outside of it', () => {
    let leaked: tf.Tensor | undefined;
    const first = trace((x) => {
      leaked = tf.keep(tf.add(x, 1));
      return { x };
    });
    const stray = leaked as tf.Tensor;
    expect(() => stray.dataSync()).toThrow('cannot be read while its step is being traced');
    expect(() => tf.add(stray, 1)).toThrow(/Add: a tensor of step bad is used outside of its trace/);
    expect(() => trace(() => ({ y: tf.add(stray, 1) }))).toThrow('a tensor of step bad is used outside of it');
    stray.dispose();
    first.dispose();
  });

  it('survives an error that its body catches', async () => {
    const step = trace((x) => {
      try {
        rawOp('MatMul', [x, x]);
      } catch {
        return { y: tf.neg(x) };
      }
      throw new Error('the product of shapes that do not fit was accepted');
    });
    expect((await step.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6) })).y?.[5]).toBe(-6);
    step.dispose();
  });

  it('takes tensors from outside as they are when it is traced, and holds them', async () => {
    const values = engine.tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const delayed = tf.tensor([1, 1, 1, 1, 1, 1], [2, 3]); // TensorFlow.js has not passed it to the backend yet
    const large = tf.ones([300, 300]);
    const step = trace((x) => ({
      y: tf.add(tf.add(x, values), delayed),
      n: tf.sum(large),
      m: tf.sum(tf.zeros([200, 200])),
    }));
    for (const t of [values, delayed, large]) t.dispose();
    const { y, n, m } = await step.run({ x: new Float32Array(6) });
    expect(y).toEqual(Float32Array.of(2, 3, 4, 5, 6, 7));
    expect([n?.[0], m?.[0]]).toEqual([90_000, 0]);
    step.dispose();
  });

  it('gives several outputs of one op, or the first of them', async () => {
    const step = trace((x) => {
      const axis = tf.scalar(1, 'int32');
      const split = (outputs: number) =>
        currentSession().execute('Split', [axis, x], { num_split: { int: 3 } }, outputs);
      return { last: split(3)[2], first: split(1)[0] };
    });
    const { last, first } = await step.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6) });
    expect([first, last]).toEqual([Float32Array.of(1, 4), Float32Array.of(3, 6)]);
    step.dispose();
  });

  it('runs the ops one after the other where that is wished', async () => {
    const step = engine.compile({
      name: 'single',
      inputs: { x: { shape: [2] } },
      executor,
      singleThreaded: true,
      body: ({ x }) => ({ y: tf.add(tf.square(x), tf.neg(x)) }),
    });
    expect((await step.run({ x: Float32Array.of(3, 4) })).y).toEqual(Float32Array.of(6, 12));
    step.dispose();
  });
});
