import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { lackOfPjrt, pjrtTestEngine } from '../../../test/engine.ts';
import { growth } from '../../../test/memoryGrowth.ts';
import { adam, type Engine, follow, momentum } from '../index.ts';
import { add, after, matMul, mul, scalar, square, sum, type Tensor, transpose, valueAndGrads } from '../ops/index.ts';
import { controlled, rawOp } from '../rawOp.ts';
import type { PjrtClient } from './client.ts';
import type { CompiledModule } from './compiledModule.ts';
import { ModuleWriter } from './moduleWriter.ts';
import { PjrtError } from './pjrtError.ts';
import { PjrtPlatform } from './platform.ts';

describe.skipIf(lackOfPjrt)('a step on pjrt:cpu', () => {
  let engine: Engine;
  let client: PjrtClient;
  beforeAll(async () => {
    engine = await pjrtTestEngine();
    if (!(engine.platform instanceof PjrtPlatform)) throw new Error('another engine is open');
    ({ client } = engine.platform);
  });

  const vector = (name: string, ...values: number[]) =>
    engine.variable(name, [values.length], Float32Array.from(values));

  test('changes its variables in place, from call to call', async () => {
    const [p, m, v] = [vector('p', 1, 2), vector('m', 0, 0), vector('v', 0, 0)];
    const step = engine.compile({
      name: 'adam',
      executor: 'graph',
      inputs: { g: { shape: [2] }, rate: { shape: [] } },
      body: ({ g, rate }) => {
        const scalars = { stepSize: rate!, epsilon: scalar(1e-8), beta1: scalar(0.5), beta2: scalar(0.75) };
        const done = adam({ value: p, firstMoment: m, secondMoment: v }, g!, scalars);
        return { p: p.read([done]) };
      },
    });
    const first = await step.run({ g: Float32Array.of(2, -4), rate: 0.1 });
    // m = g / 2, v = g² / 4: m / √v = ±1
    expect([...first.p!].map((x) => x.toFixed(6))).toEqual(['0.900000', '2.100000']);
    await step.run({ g: Float32Array.of(0, 0), rate: 0.1 });
    expect([...m.value()]).toEqual([0.5, -1]);
    expect([...v.value()]).toEqual([0.75, 3]);
    step.dispose();
    for (const variable of [p, m, v]) variable.dispose();
  });

  test('follows, and descends with momentum', async () => {
    const [teacher, student, velocity] = [vector('teacher', 4), vector('student', 8), vector('velocity', 1)];
    const step = engine.compile({
      name: 'updates',
      executor: 'graph',
      inputs: { share: { shape: [] } },
      body: ({ share }) => {
        follow(teacher, student.read(), share!);
        momentum(student, velocity, mul(student.read(), 0.5), { rate: scalar(0.5), momentum: scalar(2) }, true);
        return {};
      },
    });
    await step.run({ share: 0.75 });
    expect(teacher.value()[0]).toBe(5);
    expect(velocity.value()[0]).toBe(6); // 2 · 1 + 4
    expect(student.value()[0]).toBe(0); // 8 − 0.5 · (4 + 2 · 6)
    step.dispose();
    for (const variable of [teacher, student, velocity]) variable.dispose();
  });

  test('takes its gradients from TensorFlow.js, and gives bit-equal numbers when repeated', async () => {
    const w = engine.variable('w', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
    const step = engine.compile({
      name: 'gradient',
      executor: 'graph',
      inputs: { x: { shape: [2, 3] } },
      body: ({ x }) => {
        const loss = (weights: Tensor) =>
          tf.sum(tf.square(tf.matMul(x as tf.Tensor2D, weights as tf.Tensor2D))) as tf.Scalar;
        const { value, grads } = valueAndGrads(loss)([w.read()]);
        return { value, gradient: grads[0]! };
      },
    });
    const x = Float32Array.of(1, 0, 0, 0, 1, 0);
    const { value, gradient } = await step.run({ x });
    expect(value![0]).toBe(1 + 4 + 9 + 16);
    expect([...gradient!]).toEqual([2, 4, 6, 8, 0, 0]);
    expect(await step.run({ x })).toEqual({ value, gradient });
    step.dispose();
    w.dispose();
  });

  test('a read of a variable is its value at that place, and the barrier stays in the module', () => {
    const writer = new ModuleWriter('barrier', 'HIGHEST');
    const x = writer.parameter('x', 1, [4]);
    const dy = writer.parameter('dy', 1, [4]);
    const trace = {} as never;
    const input = (output: typeof x) => ({ ...output, trace });
    const [first] = writer.node('a', 'Exp', [input(x)], {}, [], 1);
    const [again] = writer.node('b', 'Exp', [input(x)], {}, [dy.node], 1);
    const [next] = writer.node('c', 'Neg', [input(again!)], {}, [dy.node], 1);
    const { text } = writer.finish('barrier', [x, dy], [first!, next!]);
    expect(text.match(/optimization_barrier %arg0, %arg1/g)).toHaveLength(1);
    expect(text.match(/optimization_barrier/g)).toHaveLength(1);
    expect(text.match(/stablehlo.exponential/g)).toHaveLength(2);
  });

  test('an op that is not lowered, a wrong attribute and a shape that depends on values are refused by name', () => {
    const compiling = (body: (x: Tensor) => Tensor) =>
      engine.compile({
        name: 'wrong',
        executor: 'graph',
        inputs: { x: { shape: [2, 2] } },
        body: ({ x }) => ({ y: body(x!) }),
      });
    expect(() => compiling((x) => rawOp('MatrixInverse', [x]))).toThrow(
      /MatrixInverse\(float32\[2,2\]\) in step wrong: this op has no form in StableHLO/,
    );
    expect(() => compiling((x) => rawOp('MatMul', [x, x], { transpose_c: { bool: true } }))).toThrow(/transpose_c/);
    expect(() => compiling((x) => rawOp('Reshape', [x, rawOp('Cast', [x], { DstT: { type: 'int32' } })]))).toThrow(
      /must be a constant/,
    );
    // XLA would end the process.
    const length = 2 ** 31 - 1;
    const wide = () => engine.tensor(Int32Array.of(length, length, 2, 2), [4]);
    expect(() => compiling((x) => rawOp('BroadcastTo', [x, wide()]))).toThrow(/has more bytes than any memory/);
    const inputs = { x: { shape: [length, length, 8] } };
    expect(() => engine.compile({ name: 'wide', executor: 'graph', inputs, body: ({ x }) => ({ x: x! }) })).toThrow(
      /step wide: float32\[2147483647,2147483647,8\] has more bytes than any memory/,
    );
    expect(() => compiling((x) => rawOp('AddV2', [x, engine.tensor(new Float32Array(3), [3])]))).toThrow(
      /\[2,2\] and \[3\] do not broadcast/,
    );
  });

  test('a failed compilation names the op and leaves the engine usable', async () => {
    const step = engine.compile({
      name: 'refused',
      executor: 'graph',
      inputs: { x: { shape: [2, 3] } },
      body: ({ x }) => ({ y: matMul(x!, engine.tensor(new Float32Array(9), [3, 3])), z: square(x!) }),
    });
    const traced = (step as unknown as { traced: CompiledModule<string, string> }).traced;
    const { module } = traced as unknown as { module: { text: string } };
    module.text = module.text.replace('contracting_dims = [1] x [0]', 'contracting_dims = [0] x [0]');
    await expect(step.run({ x: new Float32Array(6) })).rejects.toThrow(
      /^MatMul\(float32\[2,3\], float32\[3,3\]\) in step refused: PJRT: /,
    );
    step.dispose();
    const next = engine.compile({
      name: 'next',
      executor: 'graph',
      inputs: { x: { shape: [2] } },
      body: ({ x }) => ({ y: add(x!, 1) }),
    });
    expect([...(await next.run({ x: Float32Array.of(1, 2) })).y]).toEqual([2, 3]);
    next.dispose();
  });

  test('more memory than there is gets a sentence with the bytes; the state that went with it says so, and can be set anew', async () => {
    const state = vector('state', 1);
    const step = engine.compile({
      name: 'large',
      executor: 'graph',
      inputs: { x: { shape: [1, 1] } },
      body: ({ x }) => {
        const wide = after([x!], rawOp('BroadcastTo', [x!, engine.tensor(Int32Array.of(2 ** 20, 2 ** 20), [2])]));
        state.assign(sum(wide, [0, 1]).reshape([1]));
        return { y: sum(transpose(wide, [1, 0])) };
      },
    });
    await expect(step.run({ x: Float32Array.of(1) })).rejects.toThrow(/step large: PJRT: .*\d+ ?(bytes|[KMGT]i?B)/i);
    expect(() => state.value()).toThrow('variable state: its value was lost when step large failed');
    state.assign(Float32Array.of(7));
    expect(state.value()[0]).toBe(7);
    step.dispose();
    state.dispose();
  });

  test('memory that is exhausted by state or by constants gets a sentence with the place and the bytes', () => {
    const state = vector('state', 1, 2);
    const exhausted = () => {
      throw new PjrtError('Client_BufferFromHostBuffer', 8, 'Out of memory while trying to allocate 4096 bytes.');
    };
    const putting = vi.spyOn(client, 'put').mockImplementation(exhausted);
    const fetching = vi.spyOn(client, 'fetch').mockImplementation(exhausted);
    onTestFinished(() => void vi.restoreAllMocks());
    const sentence = /^variable (state|more): PJRT: Out of memory .* 4096 bytes\.\n.*model\.preset/;
    for (const use of [() => vector('more', 1), () => state.assign(Float32Array.of(3, 4)), () => state.value()])
      expect(use).toThrow(expect.objectContaining({ name: 'UnimissError', message: expect.stringMatching(sentence) }));
    const constant = engine.tensor(new Float32Array(1000), [1000]);
    const body = () => ({ y: add(constant, constant) });
    expect(() => engine.compile({ name: 'constants', executor: 'graph', inputs: {}, body })).toThrow(
      /a constant of step constants: PJRT: Out of memory .* 4096 bytes\.\n.*train\.accumulate/,
    );
    putting.mockRestore();
    fetching.mockRestore();
    expect([...state.value()]).toEqual([1, 2]);
    state.dispose();
  });

  test('runs beside another one that changes the same variable', async () => {
    const count = vector('count', 0);
    const step = (by: number) =>
      engine.compile({
        name: `by ${by}`,
        executor: 'graph',
        inputs: {},
        body: () => {
          count.assign(add(count.read(), by));
          return {};
        },
      });
    const [one, ten] = [step(1), step(10)];
    await Promise.all([one.run({}), ten.run({})]);
    expect(count.value()[0]).toBe(11);
    for (const each of [one, ten]) each.dispose();
    count.dispose();
  });

  /** Multiplies for a while and adds what it gets to a variable. */
  const slowSum = (sum: ReturnType<typeof vector>) =>
    engine.compile({
      name: 'slow sum',
      executor: 'graph',
      inputs: { x: { shape: [512, 512] }, by: { shape: [] } },
      body: ({ x, by }) => {
        let y = x!;
        for (let i = 0; i < 40; i++) y = mul(matMul(y, x!), 0.1);
        const done = controlled([y], () => sum.assign(add(sum.read(), by!)));
        return { y: sum.read([done]) };
      },
    });

  test('takes the next call while one computes: copies its inputs, submits it, and ends both in order', async () => {
    const sum = vector('sum', 0);
    const step = slowSum(sum);
    const x = new Float32Array(512 * 512).fill(0.01);
    await step.run({ x, by: 0 }); // compiled
    const told: string[] = [];
    const { put, submit, waitFor } = client;
    const spies = [
      vi.spyOn(client, 'put').mockImplementation((...given) => {
        told.push('copied');
        return put.apply(client, given);
      }),
      vi.spyOn(client, 'submit').mockImplementation(async (...given) => {
        const execution = await submit.apply(client, given);
        told.push('submitted');
        return execution;
      }),
      vi.spyOn(client, 'waitFor').mockImplementation(async (event) => {
        told.push('waits');
        return waitFor.call(client, event);
      }),
    ];
    const values = [1, 10, 100].map((by) => step.run({ x, by }));
    expect(told).toEqual(Array.from({ length: 6 }, () => 'copied'));
    const ended: number[] = [];
    await Promise.all(values.map((value, i) => value.then(() => ended.push(i))));
    expect(ended).toEqual([0, 1, 2]);
    expect((await Promise.all(values)).map(({ y }) => y[0])).toEqual([1, 11, 111]);
    // Submitting does not wait: the second call is there before the first one's results are.
    expect(told.indexOf('submitted', told.indexOf('submitted') + 1)).toBeLessThan(told.lastIndexOf('waits'));
    for (const spy of spies) spy.mockRestore();
    expect(sum.value()[0]).toBe(111);
    step.dispose();
    sum.dispose();
  });

  test('a step that is running cannot be disposed', async () => {
    const sum = vector('sum', 0);
    const step = slowSum(sum);
    const x = new Float32Array(512 * 512).fill(0.01);
    const running = [step.run({ x, by: 1 }), step.run({ x, by: 1 })];
    expect(() => step.dispose()).toThrow(/a running step cannot be disposed/);
    await running[0];
    expect(() => step.dispose()).toThrow(/a running step cannot be disposed/);
    await running[1];
    step.dispose();
    sum.dispose();
  });

  test('a failure reaches the call that follows it, and no state is left that is worth nothing', async () => {
    const state = vector('state', 1);
    const grow = (size: number, name: string) =>
      engine.compile({
        name,
        executor: 'graph',
        inputs: { x: { shape: [1, 1] } },
        body: ({ x }) => {
          const wide = after([x!], rawOp('BroadcastTo', [x!, engine.tensor(Int32Array.of(size, size), [2])]));
          state.assign(add(state.read(), sum(wide, [0, 1]).reshape([1])));
          return { y: sum(transpose(wide, [1, 0])) };
        },
      });
    const [large, small] = [grow(2 ** 20, 'large'), grow(2, 'small')];
    const x = Float32Array.of(1);
    const both = await Promise.allSettled([large.run({ x }), small.run({ x })]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(() => state.value()).toThrow(/variable state: its value was lost when step (large|small) failed/);
    state.assign(Float32Array.of(7));
    await small.run({ x });
    expect(state.value()[0]).toBe(11);
    for (const step of [large, small]) step.dispose();
    state.dispose();
  });

  test('a result for which there is no memory fails its call when everything else has ended, and the next call runs', async () => {
    const step = engine.compile({
      name: 'two',
      executor: 'graph',
      inputs: { x: { shape: [2] } },
      body: ({ x }) => ({ half: mul(x!, 0.5), twice: add(x!, x!) }),
    });
    const x = Float32Array.of(1, 2);
    await step.run({ x });
    const copy = client.copy.bind(client);
    vi.spyOn(client, 'copy')
      .mockImplementationOnce(copy)
      .mockImplementationOnce(() => {
        throw new RangeError('Array buffer allocation failed');
      });
    const [waiting, freeing] = [vi.spyOn(client, 'waitFor'), vi.spyOn(client, 'free')];
    await expect(step.run({ x })).rejects.toThrow('Array buffer allocation failed');
    expect(waiting).toHaveBeenCalledTimes(2); // the execution, the first copy
    expect(freeing).toHaveBeenCalledTimes(3); // the input, the results
    vi.restoreAllMocks();
    expect([...(await step.run({ x })).twice!]).toEqual([2, 4]);
    step.dispose();
  });

  test('arguments are checked before the plugin sees them', () => {
    expect(() => client.put({ dtype: 1, shape: [4] }, new Float32Array(3))).toThrow(
      /12 bytes given for f32\[4\], which has 16/,
    );
    expect(() => client.put({ dtype: 7, shape: [] }, new Uint8Array(1))).toThrow(/no tensors of type 7/);
  });

  test('does not grow over 500 steps with variables', async () => {
    const state = engine.variable('state', [256, 1024]);
    const step = engine.compile({
      name: 'grows',
      executor: 'graph',
      inputs: { x: { shape: [256, 1024] } },
      body: ({ x }) => {
        const again = after([x!], mul(state.read(), 0.5));
        const done = controlled([again], () => state.assign(add(again, x!)));
        return { y: state.read([done]) };
      },
    });
    const x = new Float32Array(256 * 1024).fill(1);
    const grown = await growth(async () => {
      for (let i = 0; i < 125; i++) await step.run({ x });
    });
    // A step that leaked one of its buffers of 1 MiB would add 125 MiB to each round.
    expect(grown).toBeLessThan(20);
    expect(state.value()[5]).toBeCloseTo(2, 5);
    step.dispose();
    state.dispose();
  });

  // Blocked for the whole step, it would be late by 300 ms and more. A longer step would be interrupted by other programs more often.
  test('leaves the event loop free', { retry: 4 }, async () => {
    const step = engine.compile({
      name: 'long',
      executor: 'graph',
      inputs: { x: { shape: [512, 512] } },
      body: ({ x }) => {
        let y = x!;
        for (let i = 0; i < 100; i++) y = mul(matMul(y, x!), 0.1);
        return { y };
      },
    });
    let slowest = 0;
    let ticks = 0;
    let last = performance.now();
    let running = true;
    const tick = () => {
      const now = performance.now();
      slowest = Math.max(slowest, now - last);
      last = now;
      ticks++;
      if (running) setImmediate(tick);
    };
    setImmediate(tick);
    await step.run({ x: new Float32Array(512 * 512).fill(0.01) });
    running = false;
    expect(ticks).toBeGreaterThan(10);
    expect(slowest).toBeLessThan(100);
    step.dispose();
  });
});
