import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testEngine } from '../../test/engine.ts';
import type { CompiledStep, Engine, Executor, StepInput } from './index.ts';

/**
 * TensorFlow.js's kernels over our binding, against values worked out by hand: executed eagerly, in a traced graph and (all in
 * one step) through XLA.
 */

type Input = { values: readonly number[]; shape: readonly number[]; dtype?: 'float32' | 'int32' };
interface Row {
  name: string;
  inputs: readonly Input[];
  // biome-ignore lint/suspicious/noExplicitAny: TensorFlow.js requires the rank in the type, and a table of ops has many ranks
  op: (...inputs: any[]) => tf.Tensor;
  expected: readonly number[];
  shape?: readonly number[];
  /** Eager only: the kernel reads its input, or the result's shape depends on values. */
  traced?: false;
  xla?: false;
}

/** A float32 input; a vector unless a shape is given. */
const f = (values: readonly number[], shape: readonly number[] = [values.length]): Input => ({ values, shape });
/** An int32 input. */
const i = (values: readonly number[], shape: readonly number[] = [values.length]): Input => ({
  values,
  shape,
  dtype: 'int32',
});
const row = (
  name: string,
  inputs: readonly Input[],
  op: Row['op'],
  expected: readonly number[],
  rest: Pick<Row, 'shape' | 'traced' | 'xla'> = {},
): Row => ({ name, inputs, op, expected, ...rest });

const oneToFour = f([1, 2, 3, 4], [2, 2]);
const oneToNine = f([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
const kernel = f([1, 2, 3, 4], [2, 2, 1, 1]);
const cube = f([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2, 1]);
const cubeKernel = f([1, 1, 1, 1, 1, 1, 1, 1], [2, 2, 2, 1, 1]);
const { E, PI, LN2, SQRT2 } = Math;

const products: Row[] = [
  row('matMul', [oneToFour, f([5, 6, 7, 8], [2, 2])], tf.matMul, [19, 22, 43, 50], { shape: [2, 2] }),
  row(
    'matMul, first transposed',
    [oneToFour, f([5, 6, 7, 8], [2, 2])],
    (a, b) => tf.matMul(a, b, true),
    [26, 30, 38, 44],
  ),
  row(
    'matMul, second transposed',
    [oneToFour, f([5, 6, 7, 8], [2, 2])],
    (a, b) => tf.matMul(a, b, false, true),
    [17, 23, 39, 53],
  ),
  row('matMul of batches', [f([1, 2, 3, 4], [2, 1, 2]), f([5, 6, 7, 8], [2, 2, 1])], tf.matMul, [17, 53], {
    shape: [2, 1, 1],
  }),
  row(
    'matMul gradient',
    [f([1, 2], [1, 2]), f([3, 4], [2, 1])],
    (a, b) => tf.grad((x) => tf.matMul(x as tf.Tensor2D, b))(a),
    [3, 4],
  ),
  row(
    'fused matMul',
    [oneToFour, oneToFour, f([1, -20])],
    (a, b, bias) => tf.fused.matMul({ a, b, bias, activation: 'relu' }),
    [8, 0, 16, 2],
  ),
  row('einsum', [oneToFour, f([1, 10])], (a, b) => tf.einsum('ij,j->i', a, b), [21, 43], { shape: [2] }),
  row('einsum of one', [oneToFour], (a) => tf.einsum('ij->j', a), [4, 6]),
  row('dot', [f([1, 2, 3]), f([4, 5, 6])], tf.dot, [32], { shape: [] }),
  row('outerProduct', [f([1, 2]), f([3, 4])], tf.outerProduct, [3, 4, 6, 8], { shape: [2, 2] }),
];

const convolutions: Row[] = [
  row('conv2d valid', [oneToNine, kernel], (x, w) => tf.conv2d(x, w, 1, 'valid'), [37, 47, 67, 77], {
    shape: [1, 2, 2, 1],
  }),
  row(
    'conv2d same',
    [oneToNine, f([0, 0, 0, 1], [2, 2, 1, 1])],
    (x, w) => tf.conv2d(x, w, 1, 'same'),
    [5, 6, 0, 8, 9, 0, 0, 0, 0],
  ),
  row('conv2d strided', [oneToNine, f([2], [1, 1, 1, 1])], (x, w) => tf.conv2d(x, w, 2, 'valid'), [2, 6, 14, 18]),
  row(
    'conv2d gradient of the input',
    [oneToNine, kernel],
    (x, w) => tf.grad((v) => tf.conv2d(v as tf.Tensor4D, w, 1, 'valid'))(x),
    [1, 3, 2, 4, 10, 6, 3, 7, 4],
  ),
  row(
    'conv2d gradient of the kernel',
    [oneToNine, kernel],
    (x, w) => tf.grad((v) => tf.conv2d(x, v as tf.Tensor4D, 1, 'valid'))(w),
    [12, 16, 24, 28],
  ),
  row(
    'conv2dTranspose',
    [f([1, 2, 3, 4], [1, 2, 2, 1]), kernel],
    (x, w) => tf.conv2dTranspose(x, w, [1, 4, 4, 1], 2, 'valid'),
    [1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16],
  ),
  row(
    'depthwiseConv2d',
    [f([1, 2, 3, 4], [1, 1, 2, 2]), f([10, 100], [1, 1, 2, 1])],
    (x, w) => tf.depthwiseConv2d(x, w, 1, 'valid'),
    [10, 200, 30, 400],
  ),
  row(
    'fused conv2d',
    [oneToNine, kernel, f([-50])],
    (x, filter, bias) => tf.fused.conv2d({ x, filter, strides: 1, pad: 'valid', bias, activation: 'relu' }),
    [0, 0, 17, 27],
  ),
  row('conv3d', [cube, cubeKernel], (x, w) => tf.conv3d(x, w, 1, 'valid'), [36], { shape: [1, 1, 1, 1, 1] }),
  row(
    'conv3d gradient of the input',
    [cube, f([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2, 1, 1])],
    (x, w) => tf.grad((v) => tf.conv3d(v as tf.Tensor5D, w, 1, 'valid'))(x),
    [1, 2, 3, 4, 5, 6, 7, 8],
  ),
  row(
    'conv3d gradient of the kernel',
    [cube, cubeKernel],
    (x, w) => tf.grad((v) => tf.conv3d(x, v as tf.Tensor5D, 1, 'valid'))(w),
    [1, 2, 3, 4, 5, 6, 7, 8],
  ),
  row(
    'conv3dTranspose',
    [f([1, 2], [1, 1, 1, 2, 1]), f([3, 4], [1, 1, 2, 1, 1])],
    (x, w) => tf.conv3dTranspose(x, w, [1, 1, 1, 4, 1], [1, 1, 2], 'valid'),
    [3, 4, 6, 8],
  ),
  row('maxPool', [oneToNine], (x) => tf.maxPool(x, 2, 1, 'valid'), [5, 6, 8, 9]),
  row(
    'maxPool gradient',
    [oneToNine],
    (x) => tf.grad((v) => tf.maxPool(v as tf.Tensor4D, 2, 1, 'valid'))(x),
    [0, 0, 0, 0, 1, 1, 0, 1, 1],
  ),
  row('avgPool', [oneToNine], (x) => tf.avgPool(x, 2, 1, 'valid'), [3, 4, 6, 7]),
  row('avgPool3d', [cube], (x) => tf.avgPool3d(x, 2, 1, 'valid'), [4.5]),
  row('maxPool3d', [cube], (x) => tf.maxPool3d(x, 2, 1, 'valid'), [8]),
];

const pairs: Row[] = [
  row('add', [f([1, 2]), f([10, 20])], tf.add, [11, 22]),
  row('add, broadcast', [oneToFour, f([10, 20])], tf.add, [11, 22, 13, 24], { shape: [2, 2] }),
  row('add of integers', [i([1, 2]), i([3, -4])], tf.add, [4, -2]),
  row('addN', [f([1, 2]), f([3, 4]), f([5, 6])], (...x) => tf.addN(x), [9, 12]),
  row('addN of one', [f([1, 2])], (x) => tf.addN([x]), [1, 2]),
  row('sub', [f([1, 2]), f([10, 5])], tf.sub, [-9, -3]),
  row('mul', [f([1, -2]), f([10, 5])], tf.mul, [10, -10]),
  row('mul gradient of a broadcast', [oneToFour, f([10, 20])], (a, b) => tf.grad((x) => tf.mul(a, x))(b), [4, 6]),
  row('div', [f([1, -9]), f([4, 3])], tf.div, [0.25, -3]),
  row('divNoNan', [f([1, 5]), f([0, 2])], tf.divNoNan, [0, 2.5]),
  row('floorDiv', [f([7, -7]), f([2, 2])], tf.floorDiv, [3, -4]),
  row('mod', [f([7, -7]), f([3, 3])], tf.mod, [1, 2]),
  row('pow', [f([2, 9]), f([10, 0.5])], tf.pow, [1024, 3]),
  row('maximum', [f([1, 5]), f([3, 2])], tf.maximum, [3, 5]),
  row('minimum', [f([1, 5]), f([3, 2])], tf.minimum, [1, 2]),
  row('squaredDifference', [f([1, 5]), f([3, 2])], tf.squaredDifference, [4, 9]),
  row('atan2', [f([1, -1]), f([1, 1])], tf.atan2, [PI / 4, -PI / 4]),
  row('prelu', [f([-2, 3]), f([0.5, 0.5])], tf.prelu, [-1, 3]),
  row('greater', [f([1, 2, 3]), f([2, 2, 2])], tf.greater, [0, 0, 1]),
  row('greaterEqual', [f([1, 2, 3]), f([2, 2, 2])], tf.greaterEqual, [0, 1, 1]),
  row('less', [f([1, 2, 3]), f([2, 2, 2])], tf.less, [1, 0, 0]),
  row('lessEqual', [f([1, 2, 3]), f([2, 2, 2])], tf.lessEqual, [1, 1, 0]),
  row('equal', [i([1, 2, 3]), i([2, 2, 2])], tf.equal, [0, 1, 0]),
  row('notEqual', [i([1, 2, 3]), i([2, 2, 2])], tf.notEqual, [1, 0, 1]),
  row(
    'logicalAnd',
    [f([0, 0, 1, 1]), f([0, 1, 0, 1])],
    (a, b) => tf.logicalAnd(a.cast('bool'), b.cast('bool')),
    [0, 0, 0, 1],
  ),
  row(
    'logicalOr',
    [f([0, 0, 1, 1]), f([0, 1, 0, 1])],
    (a, b) => tf.logicalOr(a.cast('bool'), b.cast('bool')),
    [0, 1, 1, 1],
  ),
  row(
    'logicalXor',
    [f([0, 0, 1, 1]), f([0, 1, 0, 1])],
    (a, b) => tf.logicalXor(a.cast('bool'), b.cast('bool')),
    [0, 1, 1, 0],
  ),
  row('where', [f([1, 0, 1]), f([1, 2, 3]), f([10, 20, 30])], (c, a, b) => tf.where(c.cast('bool'), a, b), [1, 20, 3]),
];

const singles: Row[] = [
  row('neg', [f([1, -2])], tf.neg, [-1, 2]),
  row('abs', [f([1, -2])], tf.abs, [1, 2]),
  row('sign', [f([3, -2, 0])], tf.sign, [1, -1, 0]),
  row('square', [f([3, -2])], tf.square, [9, 4]),
  row('sqrt', [f([9, 2])], tf.sqrt, [3, SQRT2]),
  row('rsqrt', [f([4, 0.25])], tf.rsqrt, [0.5, 2]),
  row('rsqrt gradient', [f([4])], (x) => tf.grad((v) => tf.rsqrt(v))(x), [-1 / 16]),
  row('reciprocal', [f([4, -0.5])], tf.reciprocal, [0.25, -2]),
  row('exp', [f([0, 1])], tf.exp, [1, E]),
  row('expm1', [f([0, 1])], tf.expm1, [0, E - 1]),
  row('log', [f([1, 2])], tf.log, [0, LN2]),
  row('log1p', [f([0, 1])], tf.log1p, [0, LN2]),
  row('erf', [f([0, 0.5, -1])], tf.erf, [0, 0.5204998778, -0.8427007929]),
  row('erf gradient', [f([0])], (x) => tf.grad((v) => tf.erf(v))(x), [2 / Math.sqrt(PI)]),
  row('tanh', [f([0, 1])], tf.tanh, [0, (E * E - 1) / (E * E + 1)]),
  row('sigmoid', [f([0, LN2])], tf.sigmoid, [0.5, 2 / 3]),
  row('softplus', [f([0])], tf.softplus, [LN2]),
  row('relu', [f([-1, 2])], tf.relu, [0, 2]),
  row('relu6', [f([-1, 2, 9])], tf.relu6, [0, 2, 6]),
  row('elu', [f([-LN2, 2])], tf.elu, [-0.5, 2]),
  row('leakyRelu', [f([-2, 3])], (x) => tf.leakyRelu(x, 0.01), [-0.02, 3]),
  row('leakyRelu gradient', [f([-2, 3])], (x) => tf.grad((v) => tf.leakyRelu(v, 0.01))(x), [0.01, 1]),
  row('floor', [f([1.5, -1.5])], tf.floor, [1, -2]),
  row('ceil', [f([1.5, -1.5])], tf.ceil, [2, -1]),
  row('round', [f([1.4, 2.5])], tf.round, [1, 2]),
  row('sin', [f([0, PI / 2])], tf.sin, [0, 1]),
  row('cos', [f([0, PI])], tf.cos, [1, -1]),
  row('atan', [f([1])], tf.atan, [PI / 4]),
  row('isNaN', [f([1, Number.NaN])], tf.isNaN, [0, 1]),
  row('isFinite', [f([1, Number.POSITIVE_INFINITY, Number.NaN])], tf.isFinite, [1, 0, 0]),
  row('isInf', [f([1, Number.NEGATIVE_INFINITY])], tf.isInf, [0, 1]),
  row('logicalNot', [f([1, 0])], (x) => tf.logicalNot(x.cast('bool')), [0, 1]),
  row('clipByValue', [f([-5, 0.5, 5])], (x) => tf.clipByValue(x, -1, 1), [-1, 0.5, 1]),
  row('cast to int32', [f([1.9, -1.9])], (x) => tf.cast(x, 'int32'), [1, -1]),
  row('cast to bool', [f([0, 0.5])], (x) => tf.cast(x, 'bool'), [0, 1]),
  row('cast from int32', [i([16777217])], (x) => tf.cast(x, 'float32'), [16777216]),
  row('onesLike', [f([5, 6])], tf.onesLike, [1, 1]),
  row('zerosLike', [f([5, 6])], tf.zerosLike, [0, 0]),
  row('softmax', [f([0, LN2, 0, 0], [2, 2])], (x) => tf.softmax(x), [1 / 3, 2 / 3, 0.5, 0.5]),
  row('softmax gradient', [f([0, LN2])], (x) => tf.grad((v) => tf.softmax(v).slice([0], [1]))(x), [2 / 9, -2 / 9]),
  row('logSoftmax', [f([0, LN2])], (x) => tf.logSoftmax(x), [-Math.log(3), Math.log(2 / 3)]),
];

const reductions: Row[] = [
  row('sum', [oneToFour], (x) => tf.sum(x), [10], { shape: [] }),
  row('sum over rows, kept', [oneToFour], (x) => tf.sum(x, 0, true), [4, 6], { shape: [1, 2] }),
  row('sum of integers', [i([1, 2, 3])], (x) => tf.sum(x), [6]),
  row('sum of booleans', [f([1, 0, 1])], (x) => tf.sum(x.cast('bool')), [2]),
  row('mean', [oneToFour], (x) => tf.mean(x, 1), [1.5, 3.5], { shape: [2] }),
  row('mean gradient', [oneToFour], (x) => tf.grad((v) => tf.mean(v))(x), [0.25, 0.25, 0.25, 0.25]),
  row('max', [oneToFour], (x) => tf.max(x, -1), [2, 4]),
  row('min', [oneToFour], (x) => tf.min(x, 0), [1, 2]),
  row('prod', [oneToFour], (x) => tf.prod(x), [24]),
  row('all', [f([1, 0, 1, 1], [2, 2])], (x) => tf.all(x.cast('bool'), 1), [0, 1]),
  row('any', [f([1, 0, 0, 0], [2, 2])], (x) => tf.any(x.cast('bool'), 1), [1, 0]),
  row('argMax', [f([1, 9, 3, 7, 5, 6], [2, 3])], (x) => tf.argMax(x, 1), [1, 0]),
  row('argMin', [f([1, 9, 3, 7, 5, 6], [2, 3])], (x) => tf.argMin(x, 1), [0, 1]),
  row('logSumExp', [f([0, 0])], (x) => tf.logSumExp(x), [LN2]),
  row('norm', [f([3, 4])], (x) => tf.norm(x), [5]),
  row('moments', [f([1, 3])], (x) => tf.moments(x).variance, [1]),
  row('cumsum', [f([1, 2, 3])], (x) => tf.cumsum(x), [1, 3, 6]),
  row('cumsum exclusive, from the end', [f([1, 2, 3])], (x) => tf.cumsum(x, 0, true, true), [5, 3, 0]),
  row('cumprod', [f([1, 2, 3])], (x) => tf.cumprod(x), [1, 2, 6]),
  row('topk values', [f([1, 9, 3, 7])], (x) => tf.topk(x, 2).values, [9, 7]),
  row('topk indices', [f([1, 9, 3, 7])], (x) => tf.topk(x, 2).indices, [1, 3]),
  row('batchNorm', [f([1, 3], [1, 1, 2, 1])], (x) => tf.batchNorm(x, [2], [1], [5], [10], 0), [-5, 15]),
  row('bincount', [i([0, 2, 2])], (x) => tf.bincount(x, [], 4), [1, 0, 2, 0]),
  row('unsortedSegmentSum', [f([1, 2, 3]), i([0, 1, 0])], (x, s) => tf.unsortedSegmentSum(x, s, 2), [4, 2]),
];

const shapes: Row[] = [
  row('reshape', [oneToFour], (x) => tf.reshape(x, [4, 1]), [1, 2, 3, 4], { shape: [4, 1] }),
  row('expandDims', [f([1, 2])], (x) => tf.expandDims(x, 0), [1, 2], { shape: [1, 2] }),
  row('squeeze', [f([1, 2], [1, 2, 1])], (x) => tf.squeeze(x), [1, 2], { shape: [2] }),
  row('transpose', [f([1, 2, 3, 4, 5, 6], [2, 3])], (x) => tf.transpose(x), [1, 4, 2, 5, 3, 6], { shape: [3, 2] }),
  row('transpose of three axes', [f([1, 2, 3, 4], [1, 2, 2])], (x) => tf.transpose(x, [2, 0, 1]), [1, 3, 2, 4], {
    shape: [2, 1, 2],
  }),
  row('concat', [oneToFour, f([5, 6], [2, 1])], (a, b) => tf.concat([a, b], 1), [1, 2, 5, 3, 4, 6], { shape: [2, 3] }),
  row('concat of one', [f([1, 2])], (a) => tf.concat([a]), [1, 2]),
  row('stack', [f([1, 2]), f([3, 4])], (a, b) => tf.stack([a, b], 1), [1, 3, 2, 4], { shape: [2, 2] }),
  row('unstack', [oneToFour], (x) => tf.unstack(x, 1)[1] as tf.Tensor, [2, 4], { shape: [2] }),
  row('split', [f([1, 2, 3, 4])], (x) => tf.split(x, [1, 3])[1] as tf.Tensor, [2, 3, 4]),
  row('split evenly', [oneToFour], (x) => tf.split(x, 2, 1)[0] as tf.Tensor, [1, 3], { shape: [2, 1] }),
  row('slice', [oneToFour], (x) => tf.slice(x, [0, 1], [2, 1]), [2, 4], { shape: [2, 1] }),
  row('slice gradient', [f([1, 2, 3])], (x) => tf.grad((v) => tf.slice(v, [1], [1]))(x), [0, 1, 0]),
  row('stridedSlice', [f([0, 1, 2, 3, 4, 5])], (x) => tf.stridedSlice(x, [5], [0], [-2]), [5, 3, 1]),
  row('pad', [f([1, 2])], (x) => tf.pad(x, [[1, 2]], 9), [9, 1, 2, 9, 9]),
  row('mirrorPad reflect', [f([1, 2, 3])], (x) => tf.mirrorPad(x, [[1, 1]], 'reflect'), [2, 1, 2, 3, 2]),
  row('mirrorPad symmetric', [f([1, 2, 3])], (x) => tf.mirrorPad(x, [[1, 1]], 'symmetric'), [1, 1, 2, 3, 3]),
  row('tile', [f([1, 2])], (x) => tf.tile(x, [2]), [1, 2, 1, 2]),
  row('broadcastTo', [f([1, 2])], (x) => tf.broadcastTo(x, [2, 2]), [1, 2, 1, 2], { shape: [2, 2] }),
  row('reverse', [f([1, 2, 3])], (x) => tf.reverse(x), [3, 2, 1]),
  row('gather', [f([10, 20, 30]), i([2, 0])], (x, at) => tf.gather(x, at), [30, 10], { traced: false }),
  row('gather at constants', [f([10, 20, 30])], (x) => tf.gather(x, [2, 0]), [30, 10]),
  row('gatherND', [oneToFour, i([1, 0], [1, 2])], (x, at) => tf.gatherND(x, at), [3]),
  row('scatterND', [f([7, 8]), i([2, 0], [2, 1])], (x, at) => tf.scatterND(at, x, [3]), [8, 0, 7]),
  row('oneHot', [i([1, 0, 5])], (x) => tf.oneHot(x, 2), [0, 1, 1, 0, 0, 0], { shape: [3, 2] }),
  row('oneHot on and off', [i([1])], (x) => tf.oneHot(x, 2, 5, -1), [-1, 5]),
  row('eye', [], () => tf.eye(2), [1, 0, 0, 1]),
  row('diag', [f([1, 2])], (x) => tf.diag(x), [1, 0, 0, 2]),
  row('fill', [], () => tf.fill([2], 7), [7, 7]),
  row('zeros', [], () => tf.zeros([2]), [0, 0]),
  row('ones', [], () => tf.ones([2], 'int32'), [1, 1]),
  row('range', [], () => tf.range(1, 7, 2, 'int32'), [1, 3, 5]),
  row('linspace', [], () => tf.linspace(0, 1, 3), [0, 0.5, 1]),
  row(
    'spaceToBatchND',
    [f([1, 2, 3, 4], [1, 2, 2, 1])],
    (x) =>
      tf.spaceToBatchND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    [1, 2, 3, 4],
    { shape: [4, 1, 1, 1] },
  ),
  row('depthToSpace', [f([1, 2, 3, 4], [1, 1, 1, 4])], (x) => tf.depthToSpace(x, 2), [1, 2, 3, 4], {
    shape: [1, 2, 2, 1],
  }),
  row('unique', [i([3, 1, 3])], (x) => tf.unique(x).values, [3, 1], { traced: false }),
  row(
    'resizeBilinear',
    [f([0, 2], [1, 1, 2, 1])],
    (x) => tf.image.resizeBilinear(x, [1, 4], false, true),
    [0, 0.5, 1.5, 2],
  ),
  row(
    'resizeBilinear, corners aligned',
    [f([0, 3], [1, 1, 2, 1])],
    (x) => tf.image.resizeBilinear(x, [1, 4], true),
    [0, 1, 2, 3],
  ),
  row(
    'resizeBilinear gradient, corners aligned',
    [f([0, 2], [1, 1, 2, 1])],
    (x) => tf.grad((v) => tf.image.resizeBilinear(v as tf.Tensor4D, [1, 4], true))(x),
    [2, 2],
  ),
  row(
    'resizeNearestNeighbor',
    [f([1, 2], [1, 1, 2, 1])],
    (x) => tf.image.resizeNearestNeighbor(x, [1, 4]),
    [1, 1, 2, 2],
  ),
  row('flipLeftRight', [f([1, 2], [1, 1, 2, 1])], (x) => tf.image.flipLeftRight(x), [2, 1]),
  row(
    'cropAndResize',
    [oneToNine],
    (x) => tf.image.cropAndResize(x, [[0, 0, 1, 1]], [0], [2, 2], 'bilinear'),
    [1, 3, 7, 9],
    { xla: false },
  ),
  row('complex: real part', [f([1, 2]), f([3, 4])], (re, im) => tf.real(tf.complex(re, im)), [1, 2]),
  row('complex: product', [f([1]), f([2])], (re, im) => tf.imag(tf.mul(tf.complex(re, im), tf.complex(re, im))), [4]),
  row('complex: magnitude', [f([3]), f([4])], (re, im) => tf.abs(tf.complex(re, im)), [5]),
  row('rfft', [f([1, 2, 3, 4])], (x) => tf.real(tf.spectral.rfft(x)), [10, -2, -2], { traced: false }),
];

const groups = { products, convolutions, pairs, singles, reductions, shapes };
const rows: Row[] = Object.values(groups).flat();

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

const typed = ({ values, dtype }: Input) => (dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values));

function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((e, at) => {
    const a = Number(actual[at]);
    expect(Math.abs(a - e), `[${at}]: ${a} for ${e}`).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(e)));
  });
}

/** One step that computes rows `at…`; input and output names are the row's index in `rows`. */
function stepOf(
  executor: Executor,
  chosen: readonly Row[],
): { step: CompiledStep; run: () => ReturnType<CompiledStep['run']> } {
  const inputs: Record<string, StepInput> = {};
  const values: Record<string, Float32Array | Int32Array> = {};
  chosen.forEach((r, at) => {
    r.inputs.forEach((input, k) => {
      inputs[`${at}_${k}`] = { shape: input.shape, dtype: input.dtype };
      values[`${at}_${k}`] = typed(input);
    });
  });
  const step = engine.compile({
    name: 'table',
    inputs,
    executor,
    body: (x) => Object.fromEntries(chosen.map((r, at) => [`${at}`, r.op(...r.inputs.map((_, k) => x[`${at}_${k}`]))])),
  });
  return { step, run: () => step.run(values) };
}

describe.each(Object.entries(groups))('%s', (_, group) => {
  it.each(group.map((r) => [r.name, r] as const))('%s, eager', (_, r) => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const result = r.op(...r.inputs.map((input) => engine.tensor(typed(input), input.shape)));
      if (r.shape) expect(result.shape).toEqual(r.shape);
      expectClose(result.dataSync(), r.expected);
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(group.filter((r) => r.traced !== false).map((r) => [r.name, r] as const))('%s, traced', async (_, r) => {
    const { step, run } = stepOf('graph', [r]);
    expectClose((await run())['0'] as Float32Array, r.expected);
    step.dispose();
  });
});

it('XLA gives the same values', async () => {
  const chosen = rows.filter((r) => r.traced !== false && r.xla !== false);
  const { step, run } = stepOf('xla', chosen);
  const results = await run();
  const wrong = chosen.flatMap((r, at) => {
    try {
      expectClose(results[`${at}`] as Float32Array, r.expected);
      return [];
    } catch (error) {
      return [`${r.name}: ${(error as Error).message}`];
    }
  });
  expect(wrong).toEqual([]);
  step.dispose();
});
