import type { Tensor, Tensor2D, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { testEngine } from '../../../test/engine.ts';
import type { Engine } from '../../engine/index.ts';
import { pool } from '../heads/classification.ts';
import { attention, classAttention } from './attention.ts';
import { classify } from './classifier.ts';
import { convBlock } from './convBlock.ts';
import { enlarge } from './enlarge.ts';
import { lastLayer, unitRows } from './lastLayer.ts';
import { layerNorm } from './layerNorm.ts';
import { linear, linearGelu, linearResidual } from './linear.ts';
import { mlpBlock } from './mlp.ts';
import { expectSameAsPlain, type Op } from './plain.fixtures.ts';
import { resizePositions } from './resizePositions.ts';
import { spatialReduction } from './spatialReduction.ts';
import { tokens } from './tokens.ts';
import { upsample } from './upsample.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

const same = (ours: Op, plain: Op, shapes: number[][]) => expectSameAsPlain(engine, ours, plain, shapes);

const plainGelu = (x: Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1));
const plainDense = (x: Tensor, w: Tensor, b: Tensor) => tf.add(tf.matMul(x as Tensor2D, w as Tensor2D, false, true), b);
const plainNorm = (x: Tensor, axes: number[], gain: Tensor, shift: Tensor, epsilon: number) => {
  const mean = tf.mean(x, axes, true);
  const variance = tf.mean(tf.square(tf.sub(x, mean)), axes, true);
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon))), gain), shift);
};
const keep = () => tf.tensor2d([1.25, 0, 1.25, 1.25, 0, 1.25], [6, 1]);

describe('dense layers', () => {
  test('linear', () =>
    same((x, weight, bias) => linear(x!, { weight: weight!, bias: bias! }), plainDense as Op, [[6, 8], [5, 8], [5]]));
  test('linear without bias', () =>
    same(
      (x, weight) => linear(x!, { weight: weight! }),
      (x, w) => tf.matMul(x as Tensor2D, w as Tensor2D, false, true),
      [
        [6, 8],
        [5, 8],
      ],
    ));
  test('linear with GELU', () =>
    same(
      (x, weight, bias) => linearGelu(x!, { weight: weight!, bias: bias! }),
      (x, w, b) => plainGelu(plainDense(x!, w!, b!)),
      [[6, 8], [5, 8], [5]],
    ));
  test.each([false, true])('linear with residual, stochastic depth %s', (dropped) =>
    same(
      (x, weight, bias, r) => linearResidual(x!, { weight: weight!, bias: bias! }, r!, dropped ? keep() : undefined),
      (x, w, b, r) => {
        const branch = plainDense(x!, w!, b!);
        return tf.add(r!, dropped ? tf.mul(branch, keep()) : branch);
      },
      [[6, 8], [5, 8], [5], [6, 5]],
    ),
  );
  test.each([
    [false, undefined],
    [true, undefined],
    [true, 64],
  ])('MLP, stochastic depth %s, %s hidden values at a time', (dropped, pieceSize) =>
    same(
      (x, g, s, w1, b1, w2, b2) =>
        mlpBlock(
          x!,
          { norm: { weight: g!, bias: s! }, fc1: { weight: w1!, bias: b1! }, fc2: { weight: w2!, bias: b2! } },
          1e-6,
          { keep: dropped ? keep() : undefined, pieceSize },
        ),
      (x, g, s, w1, b1, w2, b2) => {
        const branch = plainDense(plainGelu(plainDense(plainNorm(x!, [1], g!, s!, 1e-6), w1!, b1!)), w2!, b2!);
        return tf.add(x!, dropped ? tf.mul(branch, keep()) : branch);
      },
      [[6, 8], [8], [8], [32, 8], [32], [8, 32], [8]],
    ),
  );
});

describe('norms', () => {
  const plain: Op = (x, g, s) => plainNorm(x!, [1], g!, s!, 1e-5);
  test('LayerNorm', () =>
    same((x, g, s) => layerNorm(x!, { weight: g!, bias: s! }, 1e-5), plain, [[7, 12], [12], [12]]));
  test('rows of unit length', () =>
    same(
      (x) => unitRows(x!),
      (x) => tf.div(x!, tf.norm(x!, 'euclidean', 1, true)),
      [[6, 9]],
    ));
});

describe('patches', () => {
  test.each([
    [
      [2, 8, 6, 3],
      [3, 3, 3, 4],
      [2, 2],
    ],
    [
      [2, 8, 6, 3],
      [7, 7, 3, 4],
      [2, 2],
    ],
    [
      [2, 6, 8, 8, 2],
      [3, 3, 3, 2, 4],
      [2, 2, 2],
    ],
    [
      [2, 4, 8, 8, 1],
      [7, 7, 7, 1, 4],
      [1, 2, 2],
    ],
    [[2, 8, 6, 3], [3, 3, 3, 4], [1, 1], 1],
  ] as [number[], number[], number[], number?][])(
    'convolution block on %s with kernel %s, strides %s, image by image from %s',
    (shape, kernel, strides, pieceSize) => {
      const margin = (kernel[0]! - 1) / 2;
      const flat = strides.length === 2;
      return same(
        (x, weight, g, s) => convBlock(x!, { weight: weight!, norm: { weight: g!, bias: s! } }, strides, { pieceSize }),
        (x, weight, g, s) => {
          const padded = tf.pad(x!, [[0, 0], ...strides.map(() => [margin, margin] as [number, number]), [0, 0]]);
          const y = flat
            ? tf.conv2d(padded as Tensor4D, weight as Tensor4D, strides as [number, number], 'valid')
            : tf.conv3d(padded as Tensor5D, weight as Tensor5D, strides as [number, number, number], 'valid');
          return tf.leakyRelu(
            plainNorm(
              y,
              strides.map((_, i) => i + 1),
              g!,
              s!,
              1e-5,
            ),
            0.01,
          );
        },
        [shape, kernel, [4], [4]],
      );
    },
  );

  test.each([
    [[6, 8], 2],
    [[7, 5], 3],
    [[4, 6, 6], 2],
    [[5, 7, 6], 3],
  ])('spatial reduction of %s by %s', (grid, factor) => {
    const n = grid.reduce((a, b) => a * b);
    const flat = grid.length === 2;
    return same(
      (x, weight, bias) => spatialReduction(x!, { weight: weight!, bias: bias! }, { batch: 2, grid, factor }),
      (x, weight, bias) => {
        const [classes, patches] = tf.split(x!, [2, 2 * n]) as [Tensor, Tensor];
        const map = tf.reshape(patches, [2, ...grid, 4]);
        const y = flat
          ? tf.conv2d(map as Tensor4D, weight as Tensor4D, factor, 'valid')
          : tf.conv3d(map as Tensor5D, weight as Tensor5D, factor, 'valid');
        return tf.concat([classes, tf.add(tf.reshape(y, [-1, 4]), bias!)]);
      },
      [[2 + 2 * n, 4], [...grid.map(() => factor), 4, 4], [4]],
    );
  });

  test.each([[[3, 4]], [[2, 3, 4]]])('upsampling of %s', (grid) => {
    const n = grid.reduce((a, b) => a * b);
    const doubled = grid.map((length) => 2 * length);
    const flat = grid.length === 2;
    return same(
      (x, weight, bias) => upsample(x!, { weight: weight!, bias: bias! }, { batch: 2, grid }),
      (x, weight, bias) => {
        // TensorFlow.js has no gradient for conv3dTranspose: in both cases compute the products, then move every cell's block to
        // its place.
        const parts = tf.matMul(x as Tensor2D, tf.reshape(weight!, [4, -1]) as Tensor2D);
        const order = flat ? [0, 1, 3, 2, 4, 5] : [0, 1, 4, 2, 5, 3, 6, 7];
        const blocks = tf.transpose(tf.reshape(parts, [2, ...grid, ...grid.map(() => 2), 3]), order);
        const y = tf.reshape(blocks, [2, ...doubled, 3]);
        return tf.add(y, bias!);
      },
      [[2 * n, 4], [4, ...grid.map(() => 2), 3], [3]],
    );
  });

  test.each([1, 2])('tokens, %s class tokens for two images', (classes) => {
    const plain: Op = (c, p, a, b) => {
      const image = tf.add(tf.reshape(tf.add(a!, b!), [2, 6, 5]), tf.slice(p!, [0, 1, 0]));
      const first = tf.add(tf.tile(c!, [2 / classes, 1]), tf.slice(tf.reshape(p!, [7, 5]), [0, 0], [1, 5]));
      return tf.concat([first, tf.reshape(image, [12, 5])]);
    };
    return same((c, p, a, b) => tokens(c!, [a!, b!], p!), plain, [
      [classes, 5],
      [1, 7, 5],
      [2, 2, 3, 5],
      [2, 2, 3, 5],
    ]);
  });

  test('tokens without class tokens', () =>
    same(
      (p, a, b) => tokens(undefined, [a!, b!], p!),
      (p, a, b) => tf.reshape(tf.add(tf.reshape(tf.add(a!, b!), [2, 6, 5]), p!), [12, 5]),
      [
        [1, 6, 5],
        [2, 2, 3, 5],
        [2, 2, 3, 5],
      ],
    ));

  test('spatial reduction without class tokens', () =>
    same(
      (x, weight, bias) =>
        spatialReduction(x!, { weight: weight!, bias: bias! }, { batch: 2, grid: [7, 5], factor: 3 }),
      (x, weight, bias) =>
        tf.add(
          tf.reshape(tf.conv2d(tf.reshape(x!, [2, 7, 5, 4]) as Tensor4D, weight as Tensor4D, 3, 'valid'), [-1, 4]),
          bias!,
        ),
      [[70, 4], [3, 3, 4, 4], [4]],
    ));

  test('upsampling with a skip connection', () =>
    same(
      (x, weight, bias, skip) => upsample(x!, { weight: weight!, bias: bias! }, { batch: 2, grid: [3, 4] }, skip!),
      (x, weight, bias, skip) => {
        const parts = tf.reshape(
          tf.matMul(x as Tensor2D, tf.reshape(weight!, [4, -1]) as Tensor2D),
          [2, 3, 4, 2, 2, 3],
        );
        return tf.add(tf.add(tf.reshape(tf.transpose(parts, [0, 1, 3, 2, 4, 5]), [2, 6, 8, 3]), bias!), skip!);
      },
      [[24, 4], [4, 2, 2, 3], [3], [2, 6, 8, 3]],
    ));

  test('a classifier of cells', () =>
    same(
      (x, weight, bias) => classify(x!, { weight: weight!, bias: bias! }),
      (x, weight, bias) =>
        tf.add(
          tf.reshape(
            tf.matMul(tf.reshape(x!, [12, 4]) as Tensor2D, tf.reshape(weight!, [4, 5]) as Tensor2D),
            [2, 2, 3, 5],
          ),
          bias!,
        ),
      [[2, 2, 3, 4], [1, 1, 4, 5], [5]],
    ));

  test('enlarging in the plane', () => {
    // TensorFlow.js's own gradient of resizeBilinear forgets half_pixel_centers: here products with the weights of an axis.
    const along = (x: Tensor, before: number, length: number) => {
      const rows = Array.from({ length: 2 * length }, (_, i) => {
        const at = Math.min(Math.max((i + 0.5) / 2 - 0.5, 0), length - 1);
        return Array.from({ length }, (_, j) => Math.max(0, 1 - Math.abs(at - j)));
      });
      const matrix = tf.tile(tf.expandDims(tf.tensor2d(rows)), [before, 1, 1]);
      return tf.matMul(matrix as tf.Tensor3D, tf.reshape(x, [before, length, -1]) as tf.Tensor3D);
    };
    return same(
      (x) => enlarge(x!),
      (x) => tf.reshape(along(along(x!, 6, 2), 24, 4), [2, 3, 4, 8, 3]),
      [[2, 3, 2, 4, 3]],
    );
  });

  test('the mean of class token and average patch', () =>
    same(
      (x) => pool(x!, 2, 3),
      (x) => {
        const patches = tf.mean(tf.reshape(tf.slice(x!, [2, 0], [6, 5]), [2, 3, 5]), 1);
        return tf.mul(tf.add(tf.slice(x!, [0, 0], [2, 5]), patches), 0.5);
      },
      [[8, 5]],
    ));

  test('resized positions are linear in the embeddings, the class token is kept', async () => {
    // Trilinear with the golden scale: the golden sizes check the matrices; this checks their gradient.
    const matrix = (from: number, to: number) =>
      tf.tidy(() => {
        const rows = Array.from({ length: to }, (_, i) => {
          const x = Math.max(((i + 0.5) * from) / (to + 0.1) - 0.5, 0);
          return Array.from({ length: from }, (_, j) => Math.max(0, 1 - Math.abs(Math.min(x, from - 1) - j)));
        });
        return tf.tensor2d(rows);
      });
    const plain: Op = (p) => {
      const patches = tf.reshape(tf.slice(p!, [0, 1, 0]), [2, 4 * 3 * 5]);
      const first = tf.reshape(tf.matMul(matrix(2, 4), patches as Tensor2D), [4, 4, 15]);
      const second = tf.matMul(tf.tile(tf.expandDims(matrix(4, 3)), [4, 1, 1]), first as tf.Tensor3D);
      const third = tf.matMul(
        tf.tile(tf.expandDims(matrix(3, 6)), [12, 1, 1]),
        tf.reshape(second, [12, 3, 5]) as tf.Tensor3D,
      );
      return tf.concat([tf.slice(p!, [0, 0, 0], [1, 1, 5]), tf.reshape(third, [1, 72, 5])], 1);
    };
    await same((p) => resizePositions(p!, '3D', [2, 4, 3], [4, 3, 6]), plain, [[1, 25, 5]]);
    const patchesAlone: Op = (p) =>
      tf.slice(
        plain(
          tf.pad(p!, [
            [0, 0],
            [1, 0],
            [0, 0],
          ]),
        ),
        [0, 1, 0],
        [1, 72, 5],
      );
    await same((p) => resizePositions(p!, '3D', [2, 4, 3], [4, 3, 6]), patchesAlone, [[1, 24, 5]]);
  });
});

describe('attention', () => {
  const plain =
    (heads: number, queries: number, keys: number): Op =>
    (q, kv) => {
      const d = q!.shape[1]! / heads;
      const image = (rows: Tensor, n: number, b: number) =>
        tf.concat([tf.slice(rows, [b, 0], [1, rows.shape[1]!]), tf.slice(rows, [2 + b * n, 0], [n, rows.shape[1]!])]);
      const attend = (b: number) => {
        const rows = image(kv!, keys, b);
        const asked = image(q!, queries, b);
        const parts = Array.from({ length: heads }, (_, h) => {
          const column = (x: Tensor, at: number) => tf.slice(x, [0, at * d], [x.shape[0]!, d]) as Tensor2D;
          const scores = tf.mul(tf.matMul(column(asked, h), column(rows, h), false, true), d ** -0.5);
          return tf.matMul(tf.softmax(scores), column(rows, heads + h));
        });
        return tf.concat(parts, 1);
      };
      const images = [attend(0), attend(1)];
      const part = (x: Tensor, at: number, n: number) => tf.slice(x, [at, 0], [n, x.shape[1]!]);
      return tf.concat([
        ...images.map((x) => part(x, 0, 1)),
        ...(queries ? images.map((x) => part(x, 1, queries)) : []),
      ]);
    };
  test('of class tokens to patches is their row of the softmax, mean over heads', async () => {
    const [heads, queries, keys] = [2, 6, 4];
    const own: Op = (q, kv) => classAttention(q!, kv!, { batch: 2, heads, queries, keys });
    const rowsOf: Op = (q, kv) => {
      const d = q!.shape[1]! / heads;
      const image = (b: number) => {
        const all = tf.concat([
          tf.slice(kv!, [b, 0], [1, kv!.shape[1]!]),
          tf.slice(kv!, [2 + b * keys, 0], [keys, kv!.shape[1]!]),
        ]);
        const parts = [0, 1].map((h) => {
          const column = (x: Tensor) => tf.slice(x, [0, h * d], [x.shape[0]!, d]) as Tensor2D;
          const asked = column(tf.slice(q!, [b, 0], [1, q!.shape[1]!]));
          return tf.softmax(tf.mul(tf.matMul(asked, column(all), false, true), d ** -0.5));
        });
        return tf.slice(tf.div(tf.add(parts[0]!, parts[1]!), 2), [0, 1], [1, keys]);
      };
      return tf.concat([image(0), image(1)]);
    };
    // It is for looking at, and has no gradient.
    const [q, kv] = [
      [2 * (1 + queries), 6],
      [2 * (1 + keys), 12],
    ];
    const step = engine.compile({
      ...{ name: 'class attention', executor: 'graph', inputs: { q: { shape: q! }, kv: { shape: kv! } } },
      body: (inputs) => ({ ours: own(inputs.q!, inputs.kv!), plain: rowsOf(inputs.q!, inputs.kv!) }),
    });
    const noise = (shape: readonly number[]) =>
      Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => Math.sin(7 * i + 1));
    const { ours, plain } = await step.run({ q: noise(q!), kv: noise(kv!) });
    step.dispose();
    expect(ours).toHaveLength(2 * keys);
    for (const [i, value] of ours.entries()) expect(value).toBeCloseTo(plain[i]!, 5);
  });

  test.each([
    [1, 5, 3],
    [2, 6, 4],
    [4, 3, 3],
    [2, 0, 4],
  ])('%s heads, %s patches ask %s', (heads, queries, keys) =>
    same((q, kv) => attention(q!, kv!, { batch: 2, heads, queries, keys }), plain(heads, queries, keys), [
      [2 * (1 + queries), 8],
      [2 * (1 + keys), 16],
    ]),
  );

  test('without class tokens', () => {
    const shape = { batch: 2, heads: 2, queries: 6, keys: 4, classTokens: 0 } as const;
    return same(
      (q, kv) => attention(q!, kv!, shape),
      (q, kv) => {
        const images = [0, 1].map((b) => {
          const own = (x: Tensor, n: number) => tf.slice(x, [b * n, 0], [n, x.shape[1]!]);
          const heads = [0, 1].map((h) => {
            const column = (x: Tensor, at: number) => tf.slice(x, [0, at * 4], [x.shape[0]!, 4]) as Tensor2D;
            const [asked, rows] = [own(q!, 6), own(kv!, 4)];
            const scores = tf.mul(tf.matMul(column(asked, h), column(rows, h), false, true), 0.5);
            return tf.matMul(tf.softmax(scores), column(rows, 2 + h));
          });
          return tf.concat(heads, 1);
        });
        return tf.concat(images);
      },
      [
        [12, 8],
        [8, 16],
      ],
    );
  });
});

test('last layer', () =>
  same(
    (z, v) => lastLayer(z!, v!),
    (z, v) => tf.matMul(z as Tensor2D, tf.div(v!, tf.norm(v!, 'euclidean', 1, true)) as Tensor2D, false, true),
    [
      [6, 8],
      [20, 8],
    ],
  ));
