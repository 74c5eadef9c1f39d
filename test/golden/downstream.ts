import { expect } from 'vitest';
import type { Engine, Executor } from '../../daemon/engine/index.ts';
import { keep, type Tensor, valueAndGrads } from '../../daemon/engine/ops/index.ts';
import { presets } from '../../daemon/model/config.ts';
import { type DownstreamConfig, type DownstreamTask, downstreamTable } from '../../daemon/model/downstream.ts';
import { classifyImages } from '../../daemon/model/heads/classification.ts';
import { segment } from '../../daemon/model/heads/segmentation.ts';
import { fromReference, ourShape } from '../../daemon/model/layout.ts';
import { classify } from '../../daemon/model/ops/classifier.ts';
import { enlarge } from '../../daemon/model/ops/enlarge.ts';
import { softmaxLoss } from '../../daemon/train/finetune/losses/classificationLoss.ts';
import { segmentationLoss, supervisionWeights } from '../../daemon/train/finetune/losses/segmentationLoss.ts';
import {
  channelsFirst,
  computedArray,
  deviation,
  goldenImages,
  goldenWeights,
  norm,
  readGolden,
  type Summary,
  size,
} from './values.ts';

interface DownstreamFile {
  arch: 'tiny' | 'small';
  input: string;
  /** [B, C, …] */
  shape: number[];
  classes: number;
  gradNorms: Record<string, number>;
}

interface ClassificationFile extends DownstreamFile {
  labels: number[];
  logits: number[][];
  loss: number;
}

interface SegmentationFile extends DownstreamFile {
  outputs: ({ shape: number[] } & Summary)[];
  fullResolutionLoss: { dice: number; crossEntropy: number };
  /** In our own files alone: the loss of all scales. */
  deepSupervision?: { loss: number; weights: number[]; gradNorms: Record<string, number> };
}

function configOf(task: DownstreamTask, { arch, shape, classes }: DownstreamFile): DownstreamConfig {
  const modality = shape.length === 4 ? '2D' : '3D';
  const length = shape.slice(2);
  const backbone = { ...presets[arch], [modality === '2D' ? 'size2D' : 'size3D']: length };
  return { task, modality, backbone, channels: shape[1]!, outputs: classes };
}

/** Runs `body` on golden weights and images, and gives its outputs with the norms of the parameters' gradients by its loss. */
async function run(
  { engine, executor }: { readonly engine: Engine; readonly executor: Executor },
  config: DownstreamConfig,
  { input, shape, gradNorms }: DownstreamFile,
  labels: { shape: number[]; values: Int32Array },
  body: (
    weights: (name: string) => Tensor,
    images: Tensor,
    labels: Tensor,
  ) => { loss: Tensor; outputs: Record<string, Tensor> },
): Promise<{ outputs: Record<string, Float32Array>; norms: Record<string, number> }> {
  const table = downstreamTable(config);
  const variables = new Map(
    table.map((spec) => [
      spec.name,
      engine.variable(spec.name, ourShape(spec), fromReference(spec, goldenWeights(spec))),
    ]),
  );
  const trained = Object.keys(gradNorms);
  expect(table.map(({ name }) => name)).toEqual(expect.arrayContaining(trained));
  const step = engine.compile({
    name: `golden ${config.task}`,
    executor,
    inputs: {
      images: { shape: [shape[0]!, ...shape.slice(2), shape[1]!] },
      labels: { shape: labels.shape, dtype: 'int32' },
    },
    body: (inputs: Record<string, Tensor>): Record<string, Tensor> => {
      const kept: Record<string, Tensor> = {};
      const { value, grads } = valueAndGrads((...tensors: Tensor[]) => {
        const weights = (name: string) => tensors[trained.indexOf(name)] ?? variables.get(name)!.read();
        const { loss, outputs } = body(weights, inputs.images!, inputs.labels!);
        for (const [name, tensor] of Object.entries(outputs)) kept[name] = keep(tensor);
        return loss;
      })(trained.map((name) => variables.get(name)!.read()));
      return { ...kept, loss: value, ...Object.fromEntries(grads.map((grad, i) => [`d ${trained[i]}`, grad])) };
    },
  });
  const outputs = await step.run({ images: goldenImages(input, shape), labels: labels.values });
  step.dispose();
  for (const variable of variables.values()) variable.dispose();
  return { outputs, norms: Object.fromEntries(trained.map((name) => [name, norm(outputs[`d ${name}`]!)])) };
}

/** Against the tolerances of test/golden/data/README.md: 5e-2 each, 1e-3 in the median. */
function expectNorms(actual: Record<string, number>, expected: Record<string, number>): void {
  const errors = Object.entries(expected).map(([name, value]) => {
    const error = Math.abs(actual[name]! / value - 1);
    expect(error, `gradient of ${name}`).toBeLessThan(5e-2);
    return error;
  });
  expect(errors.sort((a, b) => a - b)[errors.length >> 1]).toBeLessThan(1e-3);
}

function expectRelative(actual: number, expected: number, what: string): void {
  expect(Math.abs(actual / expected - 1), what).toBeLessThan(1e-4);
}

export async function checkClassification(engine: Engine, file: string, executor: Executor): Promise<void> {
  const golden = readGolden<ClassificationFile>(file);
  const config = configOf('classification', golden);
  const labels = { shape: [golden.labels.length], values: Int32Array.from(golden.labels) };
  const { outputs, norms } = await run({ engine, executor }, config, golden, labels, (weights, images, labels) => {
    const logits = classifyImages({ config, weights }, images);
    return { loss: softmaxLoss(logits, labels, { labelSmoothing: 0 }), outputs: { logits } };
  });
  const expected = golden.logits.flat();
  const rms = norm(expected) / Math.sqrt(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(outputs.logits![i]! - value) / rms, `logit ${i}`).toBeLessThan(1e-3);
  });
  expectRelative(outputs.loss![0]!, golden.loss, 'loss');
  expectNorms(norms, golden.gradNorms);
}

/** Labels as the files describe them: floor of (u + 1) · K / 2. */
function goldenLabels(name: string, length: number, classes: number): Int32Array {
  const u = computedArray(name, length, (x) => x);
  return Int32Array.from(u, (x) => Math.min(Math.floor(((x + 1) * classes) / 2), classes - 1));
}

export async function checkSegmentation(engine: Engine, file: string, executor: Executor): Promise<void> {
  const golden = readGolden<SegmentationFile>(file);
  const config = configOf('segmentation', golden);
  const shape = [golden.shape[0]!, ...golden.shape.slice(2)];
  const values = goldenLabels(`${golden.input}.label`, size(shape), golden.classes);
  const options = { labels: 'exclusive', ignore: false, batchDice: true, firstClass: 1 } as const;
  const shapes: number[][] = [];
  const { outputs, norms } = await run(
    { engine, executor },
    config,
    golden,
    { shape, values },
    (weights, images, labels) => {
      const scales = segment({ config, weights }, images);
      const outputs: Record<string, Tensor> = {};
      scales.forEach(({ map, classifier, doubled }, i) => {
        const logits = classify(map, classifier);
        outputs[`scale${i}`] = doubled ? enlarge(logits) : logits;
        shapes[i] = outputs[`scale${i}`]!.shape;
      });
      const loss = segmentationLoss(scales, labels, [1], options, ({ crossEntropy, dice }) => {
        outputs.crossEntropy = keep(crossEntropy);
        outputs.dice = keep(dice);
      });
      return { loss, outputs };
    },
  );
  golden.outputs.forEach((expected, i) => {
    const data = channelsFirst(outputs[`scale${i}`]!, shapes[i]!);
    expect([shapes[i]![0], shapes[i]!.at(-1), ...shapes[i]!.slice(1, -1)]).toEqual(expected.shape);
    const off = deviation(data, expected);
    expect(off.values, `scale ${i}`).toBeLessThan(1e-3);
    expect(off.norm, `norm of scale ${i}`).toBeLessThan(1e-3);
  });
  const { dice, crossEntropy } = golden.fullResolutionLoss;
  expectRelative(outputs.crossEntropy![0]!, crossEntropy, 'cross-entropy');
  const foreground = [...outputs.dice!].slice(1);
  expectRelative(foreground.reduce((a, b) => a + b, 0) / foreground.length, -dice, 'Dice');
  expectRelative(outputs.loss![0]!, crossEntropy + dice, 'loss');
  expectNorms(norms, golden.gradNorms);

  const { deepSupervision } = golden;
  if (!deepSupervision) return;
  const weights = supervisionWeights(golden.outputs.length);
  weights.forEach((weight, i) => {
    expect(weight).toBeCloseTo(deepSupervision.weights[i]!, 12);
  });
  const withGradients = { ...golden, gradNorms: deepSupervision.gradNorms };
  const supervised = await run(
    { engine, executor },
    config,
    withGradients,
    { shape, values },
    (of, images, labels) => ({
      loss: segmentationLoss(segment({ config, weights: of }, images), labels, weights, options),
      outputs: {},
    }),
  );
  expectRelative(supervised.outputs.loss![0]!, deepSupervision.loss, 'loss with deep supervision');
  expectNorms(supervised.norms, deepSupervision.gradNorms);
}
