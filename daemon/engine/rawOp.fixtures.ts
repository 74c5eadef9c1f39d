import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Attrs, Engine, Executor, Variable } from './index.ts';
import { controlled, rawOp } from './rawOp.ts';

interface Row {
  op: string;
  inputs: readonly (readonly [values: readonly number[], shape?: readonly number[]])[];
  attrs?: Attrs;
  expected: readonly number[];
  /** Constant int32 inputs, after the others (axes, sizes). */
  ints?: readonly (readonly [values: readonly number[], shape?: readonly number[]])[];
  /** Which inputs form one list argument. */
  list?: 'first two' | 'after two';
  /** oneDNN's fused forms: they have no kernel elsewhere and, except for a bias alone, none outside a graph. */
  only?: 'graph';
}

const square = [
  [1, 2, 3, 4],
  [2, 2],
] as const;
const ones = [
  [1, 1, 1, 1],
  [2, 2],
] as const;
const image = [
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 3, 3, 1],
] as const;
const kernel = [
  [1, 2, 3, 4],
  [2, 2, 1, 1],
] as const;
const filterOnes = [
  [1, 1, 1, 1],
  [1, 2, 2, 1],
] as const;
const cube = [
  [1, 2, 3, 4, 5, 6, 7, 8],
  [1, 2, 2, 2, 1],
] as const;
const cubeKernel = [
  [1, 2, 3, 4, 5, 6, 7, 8],
  [2, 2, 2, 1, 1],
] as const;
const point = [[2], [1, 1, 1, 1, 1]] as const;
const plain2D: Attrs = { strides: { ints: [1, 1, 1, 1] }, padding: { string: 'VALID' } };
const plain3D: Attrs = { strides: { ints: [1, 1, 1, 1, 1] }, padding: { string: 'VALID' } };
const { E, LN2 } = Math;

const rows: Row[] = [
  { op: 'AddV2', inputs: [[[1, 2]], [[10, 20]]], expected: [11, 22] },
  { op: 'Sub', inputs: [[[1, 2]], [[10, 20]]], expected: [-9, -18] },
  { op: 'Mul', inputs: [[[1, 2]], [[10, 20]]], expected: [10, 40] },
  { op: 'RealDiv', inputs: [[[1, 2]], [[4, -4]]], expected: [0.25, -0.5] },
  { op: 'Maximum', inputs: [[[1, 2]], [[0, 3]]], expected: [1, 3] },
  { op: 'Square', inputs: [[[3, -2]]], expected: [9, 4] },
  { op: 'Sqrt', inputs: [[[9]]], expected: [3] },
  { op: 'Rsqrt', inputs: [[[4]]], expected: [0.5] },
  { op: 'Reciprocal', inputs: [[[4]]], expected: [0.25] },
  { op: 'Exp', inputs: [[[0, 1]]], expected: [1, E] },
  { op: 'Erf', inputs: [[[0.5]]], expected: [0.5204998778] },
  { op: 'L2Loss', inputs: [[[3, 4]]], expected: [12.5] },
  { op: 'Identity', inputs: [[[3, 4]]], expected: [3, 4] },
  { op: 'ZerosLike', inputs: [[[3, 4]]], expected: [0, 0] },
  { op: 'LeakyRelu', inputs: [[[-2, 3]]], attrs: { alpha: { float: 0.01 } }, expected: [-0.02, 3] },
  { op: 'LeakyReluGrad', inputs: [[[5, 6]], [[-2, 3]]], attrs: { alpha: { float: 0.01 } }, expected: [0.05, 6] },
  {
    op: 'Softmax',
    inputs: [
      [
        [0, LN2],
        [1, 2],
      ],
    ],
    expected: [1 / 3, 2 / 3],
  },
  {
    op: 'LogSoftmax',
    inputs: [
      [
        [0, LN2],
        [1, 2],
      ],
    ],
    expected: [-Math.log(3), Math.log(2 / 3)],
  },
  {
    op: 'MatMul',
    inputs: [
      square,
      [
        [5, 6, 7, 8],
        [2, 2],
      ],
    ],
    attrs: { transpose_b: { bool: true } },
    expected: [17, 23, 39, 53],
  },
  {
    op: 'BatchMatMulV2',
    inputs: [
      [
        [1, 2, 3, 4],
        [2, 1, 2],
      ],
      [
        [5, 6, 7, 8],
        [2, 1, 2],
      ],
    ],
    attrs: { adj_y: { bool: true } },
    expected: [17, 53],
  },
  { op: 'BiasAdd', inputs: [square, [[10, 20]]], expected: [11, 22, 13, 24] },
  { op: 'BiasAddGrad', inputs: [square], expected: [4, 6] },
  { op: 'ConcatV2', inputs: [square, ones], ints: [[[1], []]], list: 'first two', expected: [1, 2, 1, 1, 3, 4, 1, 1] },
  { op: 'Pack', inputs: [[[1, 2]], [[3, 4]]], list: 'first two', attrs: { axis: { int: 1 } }, expected: [1, 3, 2, 4] },
  {
    op: 'PadV2',
    inputs: [[[1, 2]]],
    ints: [
      [
        [1, 1],
        [1, 2],
      ],
    ],
    expected: [9, 1, 2, 9],
  },
  { op: 'Reshape', inputs: [square], ints: [[[4]]], expected: [1, 2, 3, 4] },
  { op: 'Slice', inputs: [square], ints: [[[0, 1]], [[2, 1]]], expected: [2, 4] },
  { op: 'Sum', inputs: [square], ints: [[[0]]], expected: [4, 6] },
  { op: 'Mean', inputs: [square], ints: [[[1]]], attrs: { keep_dims: { bool: true } }, expected: [1.5, 3.5] },
  {
    op: 'Transpose',
    inputs: [
      [
        [1, 2, 3, 4, 5, 6],
        [2, 3],
      ],
    ],
    ints: [[[1, 0]]],
    expected: [1, 4, 2, 5, 3, 6],
  },
  { op: 'Conv2D', inputs: [image, kernel], attrs: plain2D, expected: [37, 47, 67, 77] },
  { op: 'Conv3D', inputs: [cube, cubeKernel], attrs: plain3D, expected: [204] },
  {
    op: '_FusedMatMul',
    inputs: [square, ones, [[-3, 1]]],
    list: 'after two',
    attrs: { fused_ops: { strings: ['BiasAdd'] }, num_args: { int: 1 } },
    expected: [0, 4, 4, 8],
    only: 'graph',
  },
  {
    op: '_FusedMatMul',
    inputs: [
      square,
      ones,
      [[-3, 1]],
      [
        [10, 20, 30, 40],
        [2, 2],
      ],
    ],
    list: 'after two',
    attrs: { fused_ops: { strings: ['BiasAdd', 'Add'] }, num_args: { int: 2 } },
    expected: [10, 24, 34, 48],
    only: 'graph',
  },
  {
    op: '_FusedMatMul',
    inputs: [square, ones, [[-2, -4]]],
    list: 'after two',
    attrs: { fused_ops: { strings: ['BiasAdd', 'GeluExact'] }, num_args: { int: 1 } },
    expected: [0.8413447461, -0.1586552539, 5, 2.9959503],
    only: 'graph',
  },
  {
    op: '_MklLayerNorm',
    inputs: [
      [
        [1, 3, 10, 30],
        [2, 2],
      ],
      [[2, 4]],
      [[10, 20]],
    ],
    attrs: { epsilon: { float: 1e-12 } },
    expected: [8, 24, 8, 24],
    only: 'graph',
  },
];

const gradients = [
  {
    op: 'Conv2DBackpropInput',
    sizes: image[1],
    inputs: [kernel, filterOnes],
    sizesFirst: true,
    attrs: plain2D,
    expected: [1, 3, 2, 4, 10, 6, 3, 7, 4],
  },
  {
    op: 'Conv2DBackpropFilter',
    sizes: kernel[1],
    inputs: [image, filterOnes],
    sizesFirst: false,
    attrs: plain2D,
    expected: [12, 16, 24, 28],
  },
  {
    op: 'Conv3DBackpropInputV2',
    sizes: cube[1],
    inputs: [cubeKernel, point],
    sizesFirst: true,
    attrs: plain3D,
    expected: [2, 4, 6, 8, 10, 12, 14, 16],
  },
  {
    op: 'Conv3DBackpropFilterV2',
    sizes: cubeKernel[1],
    inputs: [cube, point],
    sizesFirst: false,
    attrs: plain3D,
    expected: [2, 4, 6, 8, 10, 12, 14, 16],
  },
];

const ints = (engine: Engine, values: readonly number[], shape: readonly number[] = [values.length]) =>
  engine.tensor(Int32Array.from(values), shape);

/** Compiles and runs a step on the inputs; returns its only output. */
async function once(
  engine: Engine,
  executor: Executor,
  inputs: readonly (readonly [readonly number[], (readonly number[])?])[],
  body: (tensors: Tensor[]) => Tensor,
): Promise<Float32Array> {
  const named = inputs.map(([values, shape], i) => [`x${i}`, { values, shape: shape ?? [values.length] }] as const);
  const step = engine.compile<string, 'y'>({
    name: 'row',
    inputs: Object.fromEntries(named.map(([name, { shape }]) => [name, { shape }])),
    executor,
    body: (x) => ({ y: body(named.map(([name]) => x[name] as Tensor)) }),
  });
  const { y } = await step.run(
    Object.fromEntries(named.map(([name, { values }]) => [name, Float32Array.from(values)])),
  );
  step.dispose();
  return y;
}

function expectClose(actual: Float32Array, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((e, at) => {
    expect(Math.abs((actual[at] as number) - e), `[${at}]: ${actual[at]} for ${e}`).toBeLessThanOrEqual(
      2e-6 * Math.max(1, Math.abs(e)),
    );
  });
}

/**
 * The ops that model and trainer use by name, against values worked out by hand.
 * @param executors in which they are tried
 * @param proximalDescent whether the engine has proximal descent
 */
export function rawOpTests(
  open: () => Promise<Engine>,
  executors: readonly Executor[],
  proximalDescent: boolean,
): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  });

  describe.each(executors)('raw ops (%s)', (executor) => {
    it.each(
      rows
        .filter((r) => (r.only ?? executor) === executor)
        .map((r) => [`${r.op} ${JSON.stringify(r.attrs ?? '')}`, r] as const),
    )('%s', async (_, r) => {
      const y = await once(engine, executor, r.inputs, (x) => {
        const constants = (r.ints ?? []).map(([values, shape]) => ints(engine, values, shape));
        const given =
          r.list === 'first two' ? [x] : r.list === 'after two' ? [x[0] as Tensor, x[1] as Tensor, x.slice(2)] : x;
        const fill = r.op === 'PadV2' ? [engine.tensor(Float32Array.of(9), [])] : [];
        return rawOp(r.op, [...given, ...constants, ...fill], r.attrs);
      });
      expectClose(y, r.expected);
    });

    it.each(gradients.map((g) => [g.op, g] as const))(
      '%s',
      async (_, { op, sizes, inputs, sizesFirst, attrs, expected }) => {
        const y = await once(engine, executor, inputs, ([a, b]) => {
          const [first, second] = [a as Tensor, b as Tensor];
          return rawOp(
            op,
            sizesFirst ? [ints(engine, sizes), first, second] : [first, ints(engine, sizes), second],
            attrs,
          );
        });
        expectClose(y, expected);
      },
    );

    const state = (...values: number[]) =>
      values.map((v) => engine.variable('state', [1], Float32Array.of(v))) as Variable[];

    it('AssignAddVariableOp and AssignSubVariableOp', async () => {
      const [v] = state(5) as [Variable];
      const y = await once(engine, executor, [[[2]]], ([x]) => {
        const value = x as Tensor;
        const float = { dtype: { type: 'float32' } } as const;
        const added = rawOp('AssignAddVariableOp', [v.handle, value], float, { outputs: 0 });
        const halfway = controlled([added], () => v.read());
        controlled([halfway], () => rawOp('AssignSubVariableOp', [v.handle, halfway], float, { outputs: 0 }));
        return halfway;
      });
      expect([y[0], v.value()[0]]).toEqual([7, 0]);
      v.dispose();
    });

    it("ResourceApplyAdam: the first step is the rate times the gradient's sign", async () => {
      const [w, m, v] = state(1, 0, 0) as [Variable, Variable, Variable];
      const float = { type: 'float32' } as const;
      await once(
        engine,
        executor,
        [[[0.9], []], [[0.999], []], [[0.1], []], [[1e-8], []], [[2]]],
        ([b1, b2, rate, epsilon, g]) => {
          rawOp(
            'ResourceApplyAdam',
            [w.handle, m.handle, v.handle, b1, b2, rate, b1, b2, epsilon, g] as Tensor[],
            { T: float },
            { outputs: 0 },
          );
          return g as Tensor;
        },
      );
      expectClose(w.value(), [0.9]);
      expectClose(m.value(), [0.2]);
      expectClose(v.value(), [0.004]);
      for (const variable of [w, m, v]) variable.dispose();
    });

    it.skipIf(!proximalDescent)(
      "ResourceApplyProximalGradientDescent as the teacher's average: m t + (1 − m) s",
      async () => {
        const [teacher] = state(4) as [Variable];
        await once(
          engine,
          executor,
          [[[-0.25 / 0.75], []], [[0], []], [[-1], []], [[8]]],
          ([alpha, l1, l2, student]) => {
            rawOp(
              'ResourceApplyProximalGradientDescent',
              [teacher.handle, alpha, l1, l2, student] as Tensor[],
              {},
              { outputs: 0 },
            );
            return student as Tensor;
          },
        );
        expectClose(teacher.value(), [5]);
        teacher.dispose();
      },
    );
  });
}
