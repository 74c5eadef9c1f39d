import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { testEngine } from '../../../../test/engine.ts';
import { Random } from '../../../data/random.ts';
import type { Engine, Executor } from '../../../engine/index.ts';
import { constant, keep, valueAndGrads } from '../../../engine/ops/index.ts';
import type { Scale } from '../../../model/heads/segmentation.ts';
import { sigmoidLoss, softmaxLoss } from './classificationLoss.ts';
import type { ScaleLossOptions } from './scaleLoss.ts';
import { labelsAt, segmentationLoss, supervisionWeights } from './segmentationLoss.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

const product = (shape: readonly number[]) => shape.reduce((all, n) => all * n, 1);

/** Runs a loss on given float32 inputs, and gives its value and gradients. */
async function evaluate(
  executor: Executor,
  inputs: readonly { shape: number[]; values: Float32Array }[],
  labels: { shape: number[]; values: Int32Array },
  loss: (x: Tensor[], labels: Tensor, told: Record<string, Tensor>) => Tensor,
): Promise<Record<string, Float32Array>> {
  const step = engine.compile({
    name: 'loss',
    executor,
    inputs: {
      labels: { shape: labels.shape, dtype: 'int32' },
      ...Object.fromEntries(inputs.map(({ shape }, i) => [`x${i}`, { shape }])),
    },
    body: (given: Record<string, Tensor>): Record<string, Tensor> => {
      const told: Record<string, Tensor> = {};
      const { value, grads } = valueAndGrads((...x: Tensor[]) => loss(x, given.labels!, told))(
        inputs.map((_, i) => given[`x${i}`]!),
      );
      return { ...told, loss: value, ...Object.fromEntries(grads.map((grad, i) => [`d${i}`, grad])) };
    },
  });
  const values = Object.fromEntries(inputs.map(({ values }, i) => [`x${i}`, values]));
  const outputs = await step.run({ labels: labels.values, ...values });
  step.dispose();
  return outputs;
}

/**
 * The definition, in float64 and as plainly as possible: logits of one scale [B][K][slices][height][width] from a map and a
 * classifier, doubled in the plane or not; mean cross-entropy minus mean Dice.
 */
function plainLoss(
  map: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  { shape, labelOf, doubled, options }: PlainCase,
): number {
  const [batch, slices, height, width, channels] = shape;
  const classes = bias.length;
  const factor = doubled ? 2 : 1;
  const small = (b: number, z: number, y: number, x: number, k: number) => {
    let sum = bias[k]!;
    const cell = ((b * slices + z) * height + y) * width + x;
    for (let c = 0; c < channels; c++) sum += map[cell * channels + c]! * weight[c * classes + k]!;
    return sum;
  };
  /** Two neighbours and the share of the second, for pixels whose centres are matched. */
  const between = (i: number, length: number) => {
    const at = Math.max((i + 0.5) / factor - 0.5, 0);
    const first = Math.floor(at);
    return [first, Math.min(first + 1, length - 1), at - first] as const;
  };
  const logit = (b: number, z: number, y: number, x: number, k: number) => {
    const [y0, y1, v] = between(y, height);
    const [x0, x1, u] = between(x, width);
    const row = (yy: number) => (1 - u) * small(b, z, yy, x0, k) + u * small(b, z, yy, x1, k);
    return (1 - v) * row(y0) + v * row(y1);
  };
  const groups = options.batchDice
    ? [Array.from({ length: batch }, (_, b) => b)]
    : Array.from({ length: batch }, (_, b) => [b]);
  let [entropy, weights, dice] = [0, 0, 0];
  for (const group of groups) {
    const sums = Array.from({ length: classes }, () => ({ overlap: 0, predicted: 0, reference: 0 }));
    for (const b of group)
      for (let z = 0; z < slices; z++)
        for (let y = 0; y < factor * height; y++)
          for (let x = 0; x < factor * width; x++) {
            const label = labelOf(b, z, y, x);
            if (label < 0) continue;
            const logits = sums.map((_, k) => logit(b, z, y, x, k));
            const all = logits.reduce((sum, l) => sum + Math.exp(l), 0);
            const exclusive = options.labels === 'exclusive';
            logits.forEach((l, k) => {
              const p = exclusive ? Math.exp(l) / all : 1 / (1 + Math.exp(-l));
              const truth = exclusive ? Number(label === k) : (label >> k) & 1;
              sums[k]!.overlap += p * truth;
              sums[k]!.predicted += p;
              sums[k]!.reference += truth;
              const w = exclusive ? truth * (options.classWeights?.[k] ?? 1) : 1;
              entropy -= w * (truth ? Math.log(p) : exclusive ? 0 : Math.log(1 - p));
              weights += w;
            });
          }
    const counted = sums.slice(options.firstClass);
    for (const { overlap, predicted, reference } of counted)
      dice += (2 * overlap + 1e-5) / (predicted + reference + 1e-5 + 1e-8) / counted.length / groups.length;
  }
  return entropy / weights - dice;
}

interface PlainCase {
  shape: [batch: number, slices: number, height: number, width: number, channels: number];
  labelOf: (b: number, z: number, y: number, x: number) => number;
  doubled: boolean;
  options: ScaleLossOptions;
}

/** Central differences of a function of several arrays. */
function differences(f: (inputs: Float64Array[]) => number, inputs: readonly ArrayLike<number>[]): number[][] {
  const at = inputs.map((values) => Float64Array.from(values as ArrayLike<number> & Iterable<number>));
  return at.map((values) =>
    Array.from(values, (value, i) => {
      const shifted = [1e-5, -1e-5].map((step) => {
        values[i] = value + step;
        const result = f(at);
        values[i] = value;
        return result;
      }) as [number, number];
      return (shifted[0] - shifted[1]) / 2e-5;
    }),
  );
}

const numbers = (key: string, length: number) => {
  const random = new Random(key);
  return Float32Array.from({ length }, () => random.normal());
};

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const largest = Math.max(...Array.from(expected, Math.abs));
  Array.from(expected).forEach((value, i) => {
    expect(Math.abs(actual[i]! - value) / largest, `${what} [${i}]`).toBeLessThan(2e-5);
  });
}

const exclusive: ScaleLossOptions = { labels: 'exclusive', ignore: false, batchDice: true, firstClass: 1 };
const overlapping: ScaleLossOptions = { labels: 'overlapping', ignore: false, batchDice: true, firstClass: 0 };

describe.each(['eager', 'graph'] as const)('the loss of voxels, %s', (executor) => {
  test.each([
    ['exclusive', exclusive, false],
    ['exclusive, doubled', exclusive, true],
    ['exclusive, image by image, ignored voxels', { ...exclusive, batchDice: false, ignore: true }, true],
    ['exclusive, class weights, ignored voxels', { ...exclusive, ignore: true, classWeights: [0.5, 1, 3] }, false],
    ['exclusive, slice by slice', { ...exclusive, slab: 1 }, true],
    [
      'exclusive, image by image in slabs of uneven length',
      { ...exclusive, batchDice: false, slab: 2 * 4 * 6 * 3 },
      true,
    ],
    ['overlapping', overlapping, true],
    ['overlapping, image by image, ignored voxels', { ...overlapping, batchDice: false, ignore: true }, false],
  ])('%s: value and gradients by central differences in float64', async (_, options, doubled) => {
    const shape: PlainCase['shape'] = [2, 3, 2, 3, 2];
    const grid = doubled ? [2, 3, 4, 6] : [2, 3, 2, 3];
    const voxels = product(grid);
    const random = new Random('labels');
    const values = Int32Array.from({ length: voxels }, () => {
      if (options.ignore && random.uniform() < 0.3) return -1;
      return Math.floor(random.uniform() * (options.labels === 'exclusive' ? 3 : 8));
    });
    const labelOf = (b: number, z: number, y: number, x: number) =>
      values[((b * 3 + z) * grid[2]! + y) * grid[3]! + x]!;
    const inputs = [
      { shape: [...shape], values: numbers('map', product(shape)) },
      { shape: [1, 1, 1, 2, 3], values: numbers('weight', 6) },
      { shape: [3], values: numbers('bias', 3) },
    ];
    const plain = (all: ArrayLike<number>[]) =>
      plainLoss(all[0]!, all[1]!, all[2]!, { shape, labelOf, doubled, options });
    const outputs = await evaluate(executor, inputs, { shape: grid, values }, ([map, weight, bias], labels) => {
      const scale: Scale = { map: map!, classifier: { weight: weight!, bias: bias! }, factors: [1, 1, 1], doubled };
      return segmentationLoss([scale], labels, [1], options);
    });
    const given = inputs.map(({ values }) => values);
    expect(outputs.loss![0]!).toBeCloseTo(plain(given), 5);
    differences((all) => plain(all), given).forEach((expected, i) => {
      expectClose(outputs[`d${i}`]!, expected, `gradient of input ${i}`);
    });
  });
});

describe('deep supervision, by hand', () => {
  test('weights halve from scale to scale, the coarsest counts nothing', () => {
    expect(supervisionWeights(5).map((w) => 15 * w)).toEqual([8, 4, 2, 1, 0].map((w) => expect.closeTo(w, 12)));
    expect(supervisionWeights(3)).toEqual([2 / 3, 1 / 3, 0]);
  });

  /**
   * One image of 2×4 pixels: 0 0 1 1 above, 0 1 1 0 below; two classes, so Dice is that of class 1.
   * The image's scale gives p₁ = ¾ everywhere: cross-entropy ½ log 4 + ½ log (4/3), Dice 2 · 4 · ¾ / (8 · ¾ + 4) = 0.6.
   * The scale of 1×2 cells gives p₁ = ½; their labels are those of the pixels right below their centres, 1 and 0: log 2, and
   * Dice 2 · ½ / (2 · ½ + 1) = 0.5. The third scale has the weight 0, and its logits are not even numbers.
   *
   * The slope by the first scale's bias of class 1: cross-entropy ¾ − ½ = 0.25. Dice changes with p₁ by 2/10 − 6/100 = 0.14 where the
   * class is, by −0.06 elsewhere, and p₁ with its logit by ¾ · ¼: 4 · (0.14 − 0.06) · 3/16 = 0.06. So ⅔ (0.25 − 0.06).
   */
  test.each(['eager', 'graph'] as const)('two scales of three, %s', async (executor) => {
    const labels = { shape: [1, 2, 4], values: Int32Array.from([0, 0, 1, 1, 0, 1, 1, 0]) };
    const inputs = [
      { shape: [2], values: Float32Array.from([0, Math.log(3)]) },
      { shape: [2], values: new Float32Array(2) },
    ];
    const zeros = (shape: number[]) => constant(new Float32Array(product(shape)), shape);
    const outputs = await evaluate(executor, inputs, labels, ([fine, coarse], labels, told) => {
      const scaleOf = (grid: number[], bias: Tensor, factors: number[], doubled = false): Scale => ({
        map: zeros([1, ...grid, 1]),
        classifier: { weight: zeros([1, 1, 1, 2]), bias },
        factors,
        doubled,
      });
      const broken = constant(Float32Array.of(Number.NaN, 0), [2]);
      const scales = [
        scaleOf([1, 2], fine!, [1, 1], true),
        scaleOf([1, 2], coarse!, [2, 2]),
        scaleOf([1, 1], broken, [2, 4]),
      ];
      return segmentationLoss(scales, labels, supervisionWeights(3), exclusive, (parts) => {
        for (const [name, tensor] of Object.entries(parts)) told[name] = keep(tensor);
      });
    });
    const entropy = Math.log(4) / 2 + Math.log(4 / 3) / 2;
    expect(outputs.crossEntropy![0]).toBeCloseTo(entropy, 5);
    expect(outputs.dice![1]).toBeCloseTo(0.6, 5);
    expect([...outputs.reference!]).toEqual([4, 4]);
    expect(outputs.loss![0]).toBeCloseTo((2 / 3) * (entropy - 0.6) + (1 / 3) * (Math.log(2) - 0.5), 5);
    expect(outputs.d0![1]).toBeCloseTo((2 / 3) * 0.19, 5);
    expect(outputs.d0![0]).toBeCloseTo((-2 / 3) * 0.19, 5);
  });

  test('labels of coarser scales are those right below the centres', async () => {
    const step = engine.compile({
      name: 'labels',
      executor: 'graph',
      inputs: { labels: { shape: [1, 4, 8], dtype: 'int32' as const } },
      body: ({ labels }) => ({
        half: labelsAt(labels, [2, 2]),
        quarter: labelsAt(labels, [4, 4]),
        same: labelsAt(labels, [1, 1]),
      }),
    });
    const outputs = await step.run({ labels: Int32Array.from({ length: 32 }, (_, i) => i) });
    step.dispose();
    expect([...outputs.half]).toEqual([9, 11, 13, 15, 25, 27, 29, 31]);
    expect([...outputs.quarter]).toEqual([18, 22]);
    expect(outputs.same).toHaveLength(32);
  });
});

describe.each(['eager', 'graph'] as const)('the loss of images, %s', (executor) => {
  const shape = [4, 3];
  const logits = numbers('logits', 12);
  const softplus = (l: number) => Math.log(1 + Math.exp(l));

  test.each([
    [0, undefined],
    [0.2, undefined],
    [0.1, [0.5, 1, 4]],
  ])('softmax, label smoothing %s, class weights %s', async (labelSmoothing, classWeights) => {
    const values = Int32Array.from([2, 0, 0, 1]);
    const plain = ([l]: ArrayLike<number>[]) => {
      let [loss, weight] = [0, 0];
      values.forEach((label, image) => {
        const row = [0, 1, 2].map((k) => l![3 * image + k]!);
        const all = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
        const weights = classWeights ?? [1, 1, 1];
        row.forEach((value, k) => {
          const share = (k === label ? 1 - labelSmoothing : 0) + labelSmoothing / 3;
          loss += weights[k]! * share * (all - value);
        });
        weight += weights[label]!;
      });
      return loss / weight;
    };
    const outputs = await evaluate(executor, [{ shape, values: logits }], { shape: [4], values }, ([x], labels) =>
      softmaxLoss(x!, labels, { labelSmoothing, ...(classWeights && { classWeights }) }),
    );
    expect(outputs.loss![0]!).toBeCloseTo(plain([logits]), 5);
    expectClose(outputs.d0!, differences(plain, [logits])[0]!, 'gradient');
  });

  test('sigmoid: what is not known does not count', async () => {
    const values = Int32Array.from([1, 0, -1, 0, 0, 1, -1, -1, 1, 1, 1, 0]);
    const classWeights = [1, 2, 0.5];
    const plain = ([l]: ArrayLike<number>[]) => {
      const terms = [...values].flatMap((y, i) =>
        y < 0 ? [] : [classWeights[i % 3]! * (softplus(l![i]!) - l![i]! * y)],
      );
      return terms.reduce((a, b) => a + b, 0) / terms.length;
    };
    const outputs = await evaluate(executor, [{ shape, values: logits }], { shape, values }, ([x], labels) =>
      sigmoidLoss(x!, labels, { labelSmoothing: 0, classWeights }),
    );
    expect(outputs.loss![0]!).toBeCloseTo(plain([logits]), 5);
    expectClose(outputs.d0!, differences(plain, [logits])[0]!, 'gradient');
  });
});
