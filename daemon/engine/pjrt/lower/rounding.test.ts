import { beforeAll, describe, expect, test, vi } from 'vitest';
import { lackOfPjrt, pjrtTestEngine } from '../../../../test/engine.ts';
import type { Attrs } from '../../attributes.ts';
import { DataType } from '../../dataType.ts';
import type { Engine } from '../../engine.ts';
import { exactBatchMatMul, exactMatMul, matMul, reshape } from '../../ops/index.ts';
import type { NodeInput, WrittenOutput } from '../../trace.ts';
import { ModuleWriter } from '../moduleWriter.ts';
import { PjrtPlatform } from '../platform.ts';

/** A module of one op that multiplies two arguments; by default their factors are rounded. */
function moduleOf(
  type: string,
  shapes: readonly [number[], number[]],
  attrs: Attrs = {},
  writer = new ModuleWriter('rounded', 'DEFAULT', 'bfloat16'),
) {
  const parameters = shapes.map((shape, i) => writer.parameter(`x${i}`, DataType.float32, shape));
  const inputs = parameters.map((output): NodeInput => ({ ...output, trace: {} as never }));
  const made: WrittenOutput[] = writer.node('y', type, inputs, attrs, [], 1);
  return writer.finish('rounded', parameters, made);
}

describe('products with factors in bfloat16', () => {
  test('round them, and keep sums and results in float32', () => {
    const { text, outputs } = moduleOf('MatMul', [
      [2, 3],
      [3, 4],
    ]);
    expect(text).toMatch(/dot_general .*\(tensor<2x3xbf16>, tensor<3x4xbf16>\) -> tensor<2x4xf32>/);
    expect(outputs).toEqual([{ dtype: DataType.float32, shape: [2, 4] }]);
    const strides = { strides: { ints: [1, 1, 1, 1] } };
    const convolved = moduleOf(
      'Conv2D',
      [
        [1, 4, 4, 2],
        [3, 3, 2, 5],
      ],
      strides,
    );
    expect(convolved.text).toMatch(/convolution.*\(tensor<1x4x4x2xbf16>, tensor<3x3x2x5xbf16>\)/);
    expect(convolved.outputs).toEqual([{ dtype: DataType.float32, shape: [1, 2, 2, 5] }]);
  });

  test('but for those that are exact', () => {
    const { text } = moduleOf(
      'MatMul',
      [
        [2, 3],
        [3, 4],
      ],
      { _exact: { bool: true } },
    );
    expect(text).not.toContain('bf16');
    expect(text).toMatch(/precision = \[HIGHEST, HIGHEST\] : \(tensor<2x3xf32>, tensor<3x4xf32>\)/);
  });
});

test('exact products of float32 are never TensorFloat-32, which others may be on a GPU', () => {
  const shapes: [number[], number[]] = [
    [2, 3],
    [3, 4],
  ];
  const precisionOf = (attrs: Attrs) =>
    /precision = \[.*?\]/.exec(moduleOf('MatMul', shapes, attrs, new ModuleWriter('exact', 'DEFAULT')).text)?.[0];
  expect(precisionOf({})).toBe('precision = [DEFAULT, DEFAULT]');
  expect(precisionOf({ _exact: { bool: true } })).toBe('precision = [HIGHEST, HIGHEST]');
});

describe.skipIf(lackOfPjrt)('a rounded product on pjrt:cpu', () => {
  let engine: Engine;
  let platform: PjrtPlatform;
  beforeAll(async () => {
    engine = await pjrtTestEngine({ tensorFloat32: true });
    if (!(engine.platform instanceof PjrtPlatform)) throw new Error('another engine is open');
    ({ platform } = engine);
  });

  test('is asked for as exact by the ops that say so', () => {
    const finish = vi.spyOn(ModuleWriter.prototype, 'finish');
    const step = engine.compile({
      name: 'exact',
      executor: 'graph',
      inputs: { x: { shape: [2, 3] } },
      body: ({ x }) => {
        const batch = reshape(x!, [1, 2, 3]);
        return {
          free: matMul(x!, x!, false, true),
          exact: exactMatMul(x!, x!, false, true),
          batch: exactBatchMatMul(batch, batch, false, true),
        };
      },
    });
    const [written] = finish.mock.results;
    finish.mockRestore();
    step.dispose();
    if (written?.type !== 'return') throw new Error('no module was written');
    expect([...written.value.text.matchAll(/precision = \[(\w+),/g)].map(([, precision]) => precision)).toEqual([
      'DEFAULT',
      'HIGHEST',
      'HIGHEST',
    ]);
  });

  test('adds up in float32 what bfloat16 could not hold', async () => {
    const { text } = moduleOf('MatMul', [
      [1, 512],
      [512, 1],
    ]);
    const executable = await platform.client.compile(text);
    const [row, column] = [
      { dtype: DataType.float32, shape: [1, 512] },
      { dtype: DataType.float32, shape: [512, 1] },
    ];
    // 1 + 2⁻⁹ lies between two numbers of 8 bits of mantissa, and becomes 1. A sum in bfloat16 would stop growing at 256.
    const inputs = [
      platform.client.put(row, new Float32Array(512).fill(1 + 2 ** -9)),
      platform.client.put(column, new Float32Array(512).fill(1)),
    ];
    const { made, done } = await platform.client.submit(executable, inputs);
    await platform.client.waitFor(done);
    const [sum, ...others] = made;
    if (sum === undefined || others.length > 0) throw new Error('not one result');
    expect([...platform.client.fetch({ dtype: DataType.float32, shape: [1, 1] }, sum)]).toEqual([512]);
    for (const buffer of [...inputs, sum]) platform.client.free(buffer);
    platform.client.freeExecutable(executable);
  });
});
