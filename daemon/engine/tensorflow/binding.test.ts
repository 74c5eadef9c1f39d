import * as tf from '@tensorflow/tfjs-core';
import { Int64Scalar } from '@tensorflow/tfjs-node-gpu/dist/int64_tensors.js';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { UnimissError } from '../../../protocol/errors.ts';
import { testEngine } from '../../../test/engine.ts';
import { koffi } from '../../native/native.ts';
import { currentSession } from '../current.ts';
import type { DTypeName } from '../dataType.ts';
import { type Engine, type EngineOptions, openEngine, type Variable } from '../index.ts';
import { rawOp } from '../rawOp.ts';

let engine: Engine;
let backend: { getInputTensorIds(tensors: unknown[]): number[]; where(condition: tf.Tensor): tf.Tensor };
beforeAll(async () => {
  engine = await testEngine();
  backend = tf.backend() as never; // its declaration makes the methods that kernels call private
});

const matrix = () => engine.tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
const int64 = (x: tf.Tensor) => rawOp('Cast', [x], { SrcT: { type: 'int32' }, DstT: { type: 'int64' } });

describe('types', () => {
  it('carries strings, short, long, empty and not Latin', () => {
    const words = ['', 'a', 'ä€𝄞', 'x'.repeat(22), 'x'.repeat(23), 'x'.repeat(5000)];
    const t = tf.tensor(words, [2, 3]);
    const upper = rawOp('StringUpper', [t]);
    expect(t.dataSync()).toEqual(words);
    expect(upper.shape).toEqual([2, 3]);
    expect(upper.dataSync()).toEqual(['', 'A', 'ä€𝄞', ...words.slice(3).map((w) => w.toUpperCase())]);
    expect(tf.concat([t, upper], 0).shape).toEqual([4, 3]);
    expect(tf.string.staticRegexReplace(tf.tensor1d(['b1c22']), '[0-9]+', '.', true).dataSync()).toEqual(['b.c.']);
  });

  it('carries strings with no elements, and refuses a wrong number of them', () => {
    expect(tf.concat([tf.tensor1d([], 'string'), tf.tensor1d(['a'])]).dataSync()).toEqual(['a']);
    expect(() => engine.binding.createTensor([2], engine.binding.TF_STRING, [] as never)).toThrow(
      '0 strings given for string[2], which has 2',
    );
  });

  it('carries complex numbers', () => {
    const product = tf.mul(tf.complex([1, 3], [2, -1]), tf.complex([0, 2], [1, 0]));
    expect(product.dtype).toBe('complex64');
    expect(Array.from(product.dataSync())).toEqual([-2, 1, 6, -2]);
  });

  it('carries booleans, int64, uint8, float64 and empty tensors', () => {
    const ints = engine.tensor(Int32Array.of(-1, 2, 300), [3]);
    const cast = (type: 'uint8' | 'float64') => rawOp('Cast', [ints], { SrcT: { type: 'int32' }, DstT: { type } });
    expect(tf.tensor1d([true, false, true]).dataSync()).toEqual(Uint8Array.of(1, 0, 1));
    expect(int64(ints).dataSync()).toEqual(BigInt64Array.of(-1n, 2n, 300n));
    expect(cast('uint8').dataSync()).toEqual(Uint8Array.of(255, 2, 44));
    expect(cast('float64').dataSync()).toEqual(Float64Array.of(-1, 2, 300));
    const empty = engine.tensor(new Float32Array(0), [0, 3]);
    expect(tf.concat([empty, tf.ones([1, 3])], 0).shape).toEqual([1, 3]);
    expect(empty.dataSync()).toEqual(new Float32Array(0));
    expect(tf.slice(ints, [1], [0]).dataSync()).toEqual(new Int32Array(0));
    expect(tf.slice(tf.tensor1d(['a']), [1], [0]).dataSync()).toEqual([]);
  });

  it("carries the kernels' int64 scalars", () => {
    for (const value of [0, 5, -7, 2 ** 31 - 3, -(2 ** 31) + 2]) {
      const ids = backend.getInputTensorIds([new Int64Scalar(value)]);
      expect(engine.binding.tensorDataSync(ids[0] as number)).toEqual(BigInt64Array.of(BigInt(value)));
      engine.binding.deleteTensor(ids[0] as number);
    }
  });

  it('says that a type cannot be read', () => {
    const half = rawOp('Cast', [matrix()], { SrcT: { type: 'float32' }, DstT: { type: 'bfloat16' } });
    expect(() => half.dataSync()).toThrow('values of bfloat16 cannot be read; cast them first');
    const back = rawOp('Cast', [half], { SrcT: { type: 'bfloat16' }, DstT: { type: 'float32' } });
    expect(back.dataSync()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  it.each(['bfloat16', 'float16', 'float64'] as const)('never calls %s float32, and refuses it', async (type) => {
    const cast = (x: tf.Tensor, from: DTypeName, to: DTypeName) =>
      rawOp('Cast', [x], { SrcT: { type: from }, DstT: { type: to } });
    const v = engine.variable('v', [2, 3]);
    const check = (x: tf.Tensor): tf.Tensor => {
      const other = cast(x, 'float32', type);
      expect(other.dtype).not.toBe('float32');
      expect(engine.dtypeOf(other)).toBe(type);
      expect(() => tf.add(other, 1)).toThrow('must be numeric tensor');
      expect(() => tf.cast(other, 'float32')).toThrow('must be numeric tensor');
      expect(() => tf.reshape(other, [6])).toThrow(`Reshape(${type}[2,3], int32[1]): TensorFlow.js has no ${type}`);
      expect(() => v.assign(other)).toThrow(`${type}[2,3] given for float32[2,3]`);
      return cast(rawOp('AddV2', [other, other]), type, 'float32');
    };
    const twice = Float32Array.of(2, 4, 6, 8, 10, 12);
    expect(check(matrix()).dataSync()).toEqual(twice);
    const step = engine.compile({
      name: type,
      inputs: { x: { shape: [2, 3] } },
      executor: 'graph',
      body: ({ x }) => ({ y: check(x) }),
    });
    expect((await step.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6) })).y).toEqual(twice);
    step.dispose();
    v.dispose();
  });
});

describe('attributes', () => {
  it('of every kind reach the op', () => {
    const x = engine.tensor(Float32Array.of(1, 2, 3, 4), [1, 2, 2, 1]);
    const pooled = rawOp('MaxPool', [x], {
      ksize: { ints: [1, 2, 2, 1] },
      strides: { ints: [1, 1, 1, 1] },
      padding: { string: 'VALID' },
    });
    expect(Array.from(pooled.dataSync())).toEqual([4]);
    const sliced = rawOp('Sum', [x, engine.tensor(Int32Array.of(1), [1])], {
      keep_dims: { bool: true },
      T: { type: 'float32' },
    });
    expect(sliced.shape).toEqual([1, 1, 2, 1]);
    expect(rawOp('LeakyRelu', [tf.neg(x)], { alpha: { float: 0.5 } }).dataSync()[3]).toBe(-2);
    const variable = engine.variable('attributes', [2, 0]);
    expect(variable.read().shape).toEqual([2, 0]);
    variable.dispose();
    const types = { T: { types: ['float32', 'int32'] as const } };
    const two = currentSession().execute('IdentityN', [[x, tf.scalar(7, 'int32')]], types, 2);
    expect(two.map((t) => t.dtype)).toEqual(['float32', 'int32']);
    const boundaries = rawOp('Bucketize', [x], { boundaries: { floats: [1.5, 3.5] } });
    expect(Array.from(boundaries.dataSync())).toEqual([0, 1, 1, 2]);
    const equal = rawOp('_FusedMatMul', [tf.ones([2, 3]), tf.ones([3, 2]), [tf.tensor1d([-5, 1])]], {
      num_args: { int: 1 },
      fused_ops: { strings: ['BiasAdd', 'Relu'] },
      transpose_a: { bool: false },
    });
    expect(Array.from(equal.dataSync())).toEqual([0, 4, 0, 4]);
  });

  it('that the op does not have are refused', () => {
    expect(() => rawOp('MatMul', [tf.eye(2), tf.eye(2)], { transpose_aa: { bool: true } })).toThrow(
      "attribute transpose_aa of MatMul: TensorFlow: Attribute 'transpose_aa' does not exist for this operation",
    );
  });
});

describe('a failed op', () => {
  afterEach(() => {
    // The engine goes on after each failure.
    expect(tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0]).toBe(11);
    expect(tf.tensor1d(['a']).dataSync()).toEqual(['a']);
  });

  it('is named with its types, its shapes and the words of TensorFlow', () => {
    const x = matrix();
    let error: UnimissError | undefined;
    try {
      rawOp('MatMul', [x, x]);
    } catch (e) {
      error = e as UnimissError;
    }
    expect(error?.code).toBe('engine');
    expect(error?.details.place).toBe('MatMul(float32[2,3], float32[2,3])');
    expect(error?.what).toBe('TensorFlow: Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3]');
  });

  it.each<[string, () => unknown, string | RegExp]>([
    ['a kernel of TensorFlow.js', () => backend.where(tf.tensor1d(['a'])), /^Where\(string\[1\]\): TensorFlow: /],
    ['an unknown op', () => rawOp('Nope', [matrix()]), /^Nope\(float32\[2,3\]\): TensorFlow: 'Nope' is neither/],
    [
      'types that differ',
      () => rawOp('AddV2', [matrix(), tf.scalar(1, 'int32')]),
      /^AddV2\(float32\[2,3\], int32\[\]\): TensorFlow: /,
    ],
    ['an input too few', () => rawOp('AddV2', [matrix()]), /^AddV2\(float32\[2,3\]\): TensorFlow: /],
    [
      'an input too many',
      () => rawOp('Neg', [matrix(), matrix()]),
      /^Neg\(float32\[2,3\], float32\[2,3\]\): TensorFlow: /,
    ],
    ['a list where one is meant', () => rawOp('Neg', [[matrix(), matrix()]]), /^Neg\(.*\): TensorFlow: /],
    [
      'an index out of range',
      () => rawOp('GatherV2', [matrix(), tf.scalar(9, 'int32'), tf.scalar(0, 'int32')]),
      'indices = 9 is not in [0, 2)',
    ],
    [
      'too much memory',
      () => tf.tile(tf.ones([2 ** 14, 1]), [1, 2 ** 28]),
      /^Tile\(float32\[16384,1\], int32\[2\]\): TensorFlow: OOM .*\n {2}Use a smaller batch/,
    ],
    [
      'a disposed tensor',
      () => {
        const x = matrix();
        x.dispose();
        return rawOp('Neg', [x]);
      },
      'this tensor was disposed: float32[2,3]',
    ],
    [
      'values that do not fill the shape',
      () => engine.tensor(new Float32Array(3), [2, 2]),
      '12 bytes given for float32[2,2], which has 16',
    ],
  ])('(%s) leaves the engine usable', (_, op, message) => {
    const before = engine.binding.getNumOfTensors();
    tf.tidy(() => {
      expect(op).toThrow(message);
    });
    expect(engine.binding.getNumOfTensors()).toBe(before);
  });
});

describe('variables', () => {
  it('have value semantics for those who read them', () => {
    const v = engine.variable('v', [2], Float32Array.of(1, 2));
    const before = v.read();
    rawOp('AssignAddVariableOp', [v.handle, tf.tensor1d([10, 10])], { dtype: { type: 'float32' } }, { outputs: 0 });
    expect(before.dataSync()).toEqual(Float32Array.of(1, 2));
    expect(v.value()).toEqual(Float32Array.of(11, 12));
    const source = tf.tensor1d([5, 6]);
    v.assign(source);
    rawOp('AssignAddVariableOp', [v.handle, tf.tensor1d([1, 1])], { dtype: { type: 'float32' } }, { outputs: 0 });
    expect(source.dataSync()).toEqual(Float32Array.of(5, 6));
    v.dispose();
  });

  it('are zeros unless told otherwise, outlive a tidy, and hold any shape', () => {
    const variables: Variable[] = [];
    tf.tidy(() => {
      for (const shape of [[], [0], [2, 3]]) variables.push(engine.variable('zeros', shape));
    });
    expect(variables.map((v) => v.value())).toEqual([new Float32Array(1), new Float32Array(0), new Float32Array(6)]);
    expect(variables.map((v) => v.size)).toEqual([1, 0, 6]);
    for (const v of variables) v.dispose();
  });

  it('refuse another shape or type', () => {
    const v = engine.variable('narrow', [2], Float32Array.of(1, 2));
    expect(() => v.assign(tf.tensor1d([1, 2, 3]))).toThrow('variable narrow: float32[3] given for float32[2]');
    expect(() => v.assign(tf.tensor1d([1, 2], 'int32'))).toThrow('variable narrow: int32[2] given for float32[2]');
    expect(() => v.assign(new Float32Array(3))).toThrow('12 bytes given for float32[2]');
    expect(v.value()).toEqual(Float32Array.of(1, 2));
    v.dispose();
    expect(() => v.read()).toThrow('this tensor was disposed');
  });

  it('of one name are not one', () => {
    const [a, b] = [engine.variable('same', [1], Float32Array.of(1)), engine.variable('same', [1], Float32Array.of(2))];
    expect([a.value()[0], b.value()[0]]).toEqual([1, 2]);
    a.dispose();
    expect(b.value()[0]).toBe(2);
    b.dispose();
  });
});

describe('the binding', () => {
  it('refuses SavedModels with a message', () => {
    for (const call of [
      () => engine.binding.loadSavedModel(),
      () => engine.binding.runSavedModel(),
      () => engine.binding.deleteSavedModel(),
    ])
      expect(call).toThrow('SavedModels cannot be loaded by this engine\n  Use safetensors weights.');
    expect(engine.binding.getNumOfSavedModels()).toBe(0);
  });

  it('works where views of foreign memory are forbidden, as in Electron', async () => {
    const view = vi.spyOn(koffi, 'view').mockImplementation(() => {
      throw new Error('External buffers are not allowed');
    });
    try {
      const step = engine.compile({
        name: 'electron',
        inputs: { x: { shape: [2] } },
        executor: 'graph',
        body: ({ x }) => ({ y: tf.mul(x, tf.tensor1d([2, 3])) }),
      });
      expect((await step.run({ x: Float32Array.of(1, 2) })).y).toEqual(Float32Array.of(2, 6));
      expect(tf.tensor1d(['a']).dataSync()).toEqual(['a']);
      step.dispose();
    } finally {
      view.mockRestore();
    }
  });

  it('knows one engine a process', async () => {
    const { library } = engine.options;
    expect(await openEngine({ library, device: 'cpu' })).toBe(engine);
    expect(await Promise.all([testEngine(), testEngine()])).toEqual([engine, engine]);
    const other = (options: Partial<EngineOptions>) => openEngine({ library, device: 'cpu', ...options });
    await expect(other({ device: 'cuda' })).rejects.toThrow("the open one has device: 'cpu', not 'cuda'");
    await expect(other({ intraOpThreads: 7 })).rejects.toThrow('a process has one engine');
    await expect(other({ tensorFloat32: false })).rejects.toThrow('the open one has tensorFloat32: true, not false');
    await expect(other({ preload: ['/cuda.so'] })).rejects.toThrow("the open one has preload: [], not [ '/cuda.so' ]");
    expect(await other({ tensorFloat32: true, preload: [], interOpThreads: 2 })).toBe(engine);
    expect(engine.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(engine.devices.map((d) => d.type)).toContain('CPU');
  });
});
