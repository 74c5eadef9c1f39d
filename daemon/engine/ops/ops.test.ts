import { beforeAll, describe, expect, it } from 'vitest';
import { testEngine } from '../../../test/engine.ts';
import { accumulate, adam, decay, type Engine, type Executor, follow, sgd, type Variable } from '../index.ts';
import type { Tensor } from './index.ts';
import * as ops from './index.ts';

/** The typed ops against values worked out by hand; their fused forms by the model's tests (daemon/model/ops). */

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

const x = [1, 2, 3, 4, 5, 6]; // [2, 3]
const y = [6, 5, 4, 3, 2, 1];

/** Each op on x and y, both [2, 3], with the expected result. All are in one step, which compiles once. */
const rows: Record<string, [op: (x: Tensor, y: Tensor) => Tensor, expected: number[]]> = {
  add: [(a, b) => ops.add(a, b), [7, 7, 7, 7, 7, 7]],
  'add a number': [(a) => ops.add(a, 0.5), x.map((v) => v + 0.5)],
  sub: [(a, b) => ops.sub(a, b), [-5, -3, -1, 1, 3, 5]],
  'sub from a number': [(a) => ops.sub(1, a), x.map((v) => 1 - v)],
  mul: [(a, b) => ops.mul(a, b), [6, 10, 12, 12, 10, 6]],
  div: [(a) => ops.div(a, 2), x.map((v) => v / 2)],
  minimum: [(a) => ops.minimum(3, a), [1, 2, 3, 3, 3, 3]],
  maximum: [(a, b) => ops.maximum(a, b), [6, 5, 4, 4, 5, 6]],
  neg: [(a) => ops.neg(a), x.map((v) => -v)],
  'square, sqrt': [(a) => ops.sqrt(ops.square(a)), x],
  'rsqrt, reciprocal': [(a) => ops.reciprocal(ops.rsqrt(ops.square(a))), x],
  'exp, log': [(a) => ops.log(ops.exp(a)), x],
  erf: [(a) => ops.erf(ops.rows(ops.div(a, 2), 0, 1)), [0.5204998778, 0.8427007929, 0.9661051465]],
  zerosLike: [(a) => ops.zerosLike(a), [0, 0, 0, 0, 0, 0]],
  sum: [(a) => ops.sum(a), [21]],
  'sum over rows': [(a) => ops.sumRows(a), [5, 7, 9]],
  mean: [(a) => ops.mean(a, [1]), [2, 5]],
  norm: [(a) => ops.norm(a), [Math.sqrt(91)]],
  reshape: [
    (a) => ops.mul(ops.reshape(a, [3, -1]), ops.constant(Float32Array.of(1, 10), [1, 2])),
    [1, 20, 3, 40, 5, 60],
  ],
  concat: [(a, b) => ops.concat([a, b], 1), [1, 2, 3, 6, 5, 4, 4, 5, 6, 3, 2, 1]],
  split: [(a) => ops.split(ops.reshape(a, [6]), [2, 4] as const)[1], [3, 4, 5, 6]],
  slice: [(a) => ops.slice(a, [0, 1], [2, 2]), [2, 3, 5, 6]],
  rows: [(a) => ops.rows(a, 1, 1), [4, 5, 6]],
  transpose: [(a) => ops.transpose(a, [1, 0]), [1, 4, 2, 5, 3, 6]],
  pad: [
    (a) =>
      ops.pad(ops.rows(a, 0, 1), [
        [0, 1],
        [1, 0],
      ]),
    [0, 1, 2, 3, 0, 0, 0, 0],
  ],
  tile: [(a) => ops.tile(ops.rows(a, 0, 1), [1, 2]), [1, 2, 3, 1, 2, 3]],
  stack: [(a, b) => ops.stack([ops.rows(a, 0, 1), ops.rows(b, 0, 1)]), [1, 2, 3, 6, 5, 4]],
  matMul: [(a, b) => ops.matMul(a, b, false, true), [28, 10, 73, 28]],
  batchMatMul: [(a, b) => ops.batchMatMul(a, b, false, true), [28, 10, 73, 28]],
  dense: [(a, b) => ops.dense(a, b, ops.constant(Float32Array.of(1, 2), [2])), [29, 12, 74, 30]],
  'dense with residual': [
    (a, b) => ops.dense(a, b, ops.constant(Float32Array.of(1, 2), [2]), { residual: ops.matMul(a, b, false, true) }),
    [57, 22, 147, 58],
  ],
  leakyRelu: [(a) => ops.leakyRelu(ops.sub(a, 3), 0.5), [-1, -0.5, 0, 1, 2, 3]],
  leakyReluGradient: [(a, b) => ops.leakyReluGradient(b, ops.sub(a, 3.5), 0.5), [3, 2.5, 2, 3, 2, 1]],
  softmax: [(a) => ops.softmax(ops.mul(a, 0)), x.map(() => 1 / 3)],
  logSoftmax: [(a) => ops.logSoftmax(ops.mul(a, 0)), x.map(() => -Math.log(3))],
  standardize: [(a) => ops.standardize(a, 0).normal, [-1, 0, 1, -1, 0, 1].map((v) => v * Math.sqrt(1.5))],
  normalizeRows: [
    (a) =>
      ops.normalizeRows(
        a,
        { weight: ops.constant(Float32Array.of(2, 2, 2), [3]), bias: ops.constant(Float32Array.of(1, 1, 1), [3]) },
        1e-12,
      ),
    [-1, 0, 1, -1, 0, 1].map((v) => 1 + 2 * v * Math.sqrt(1.5)),
  ],
  after: [(a, b) => ops.after([b], a), x],
};

describe.each<Executor>(['graph', 'xla', 'eager'])('ops (%s)', (executor) => {
  it('give the values worked out by hand', async () => {
    const step = engine.compile({
      name: 'ops',
      executor,
      inputs: { x: { shape: [2, 3] }, y: { shape: [2, 3] } },
      body: (inputs) => Object.fromEntries(Object.entries(rows).map(([name, [op]]) => [name, op(inputs.x, inputs.y)])),
    });
    const values: Record<string, Float32Array> = await step.run({ x: Float32Array.from(x), y: Float32Array.from(y) });
    step.dispose();
    for (const [name, [, expected]] of Object.entries(rows)) {
      const actual = Array.from(values[name] ?? []);
      expect(actual.length, name).toBe(expected.length);
      const off = expected.map((value, i) => Math.abs((actual[i] ?? Number.NaN) - value));
      expect(Math.max(...off), `${name}: ${actual} for ${expected}`).toBeLessThan(1e-5);
    }
  });

  it('differentiates an operation that returns its input once', async () => {
    const step = engine.compile({
      name: 'once',
      executor,
      inputs: { x: { shape: [] } },
      body: (inputs) => {
        const same = (t: Tensor) =>
          ops.differentiable(
            [t],
            () => t,
            (dy) => [dy],
          );
        const { grads } = ops.valueAndGrads((t: Tensor) => same(t))([inputs.x]);
        return { gradient: ops.identity(grads[0] as Tensor) };
      },
    });
    expect((await step.run({ x: 3 })).gradient).toEqual(Float32Array.of(1));
    step.dispose();
  });

  it('updates variables in place, in the order that effects say', async () => {
    const [a, b, c, d] = [1, 2, 4, 8].map((value) => engine.variable('v', [1], Float32Array.of(value))) as [
      Variable,
      Variable,
      Variable,
      Variable,
    ];
    const [m, v] = [engine.variable('m', [1]), engine.variable('v', [1])];
    const step = engine.compile({
      name: 'updates',
      executor,
      inputs: { g: { shape: [1] }, rate: { shape: [] }, zero: { shape: [] }, half: { shape: [] } },
      body: ({ g, rate, zero, half }) => {
        const moved = sgd(a, g, rate);
        const afterSgd = a.read([moved]);
        const sum = b.read([accumulate(b, g)]);
        const decayed = c.read([decay(c, half, g)]);
        const average = d.read([follow(d, g, half)]);
        adam(
          { value: a, firstMoment: m, secondMoment: v },
          g,
          { stepSize: rate, epsilon: zero, beta1: half, beta2: half },
          [afterSgd],
        );
        return { afterSgd, sum, decayed, average };
      },
    });
    const result = await step.run({ g: Float32Array.of(2), rate: 0.25, zero: 0, half: 0.5 });
    expect(Object.values(result).map(([value]) => value)).toEqual([0.5, 4, 2, 5]);
    // m = 1, v = 2: p = 0.5 − 0.25 · 1 / √2
    expect(a.value()[0]).toBeCloseTo(0.5 - 0.25 / Math.SQRT2, 6);
    step.dispose();
    for (const variable of [a, b, c, d, m, v]) variable.dispose();
  });
});
