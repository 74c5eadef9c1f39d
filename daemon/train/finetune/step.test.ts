import { memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { testEngine } from '../../../test/engine.ts';
import { smallestModel } from '../../../test/smallestModel.ts';
import { Random } from '../../data/random.ts';
import type { Engine } from '../../engine/index.ts';
import type { DownstreamConfig } from '../../model/downstream.ts';
import { counted } from '../optimizers/optimizer.ts';
import {
  createFineTuneState,
  createFineTuneStep,
  createForward,
  type FineTuneState,
  type FineTuneStateOptions,
  type FineTuneStep,
  type FineTuneStepInputs,
  type FineTuneStepOptions,
  type Problem,
} from './index.ts';
import { millisecondsPerStep } from './measure.ts';

let engine: Engine;
const disposables: { dispose(): void }[] = [];
beforeAll(async () => {
  engine = await testEngine();
});
afterAll(() => {
  for (const thing of disposables.reverse()) thing.dispose();
});

const segmentation = {
  task: 'segmentation',
  labels: 'exclusive',
  ignore: true,
  batchDice: true,
  deepSupervision: true,
} as const satisfies Problem;
const overlappingMasks = { ...segmentation, labels: 'overlapping', batchDice: false } as const satisfies Problem;
const classification = { task: 'classification', labels: 'exclusive', labelSmoothing: 0.1 } as const satisfies Problem;
const severalClasses = { task: 'classification', labels: 'overlapping' } as const satisfies Problem;
const adamW = { kind: 'adamW' } as const;

function modelOf({ task }: Problem, modality: Modality): DownstreamConfig {
  return { task, modality, backbone: smallestModel, channels: 2, outputs: 3 };
}

function newState(problem: Problem, modality: Modality, options: Partial<FineTuneStateOptions> = {}): FineTuneState {
  const state = createFineTuneState(engine, { model: modelOf(problem, modality), optimizer: adamW, ...options }, 1);
  disposables.push(state);
  return state;
}

function newStep(state: FineTuneState, problem: Problem, options: Partial<FineTuneStepOptions> = {}): FineTuneStep {
  const step = createFineTuneStep(engine, state, { problem, batch: 2, ...options });
  disposables.push(step);
  return step;
}

/** Labels that follow from the image: of voxels, of images. */
function batchOf(step: FineTuneStep): FineTuneStepInputs {
  const { problem, batch, size } = step.options;
  const voxels = size.reduce((all, n) => all * n, batch);
  const random = new Random('images');
  const images = Float32Array.from({ length: 2 * voxels }, () => random.normal());
  const half = (voxel: number) => (voxel % size.at(-1)! < size.at(-1)! / 2 ? 1 : 2);
  const ofVoxels = Int32Array.from({ length: voxels }, (_, i) => (i % 7 === 0 ? -1 : half(i)));
  const ofImages = problem.labels === 'exclusive' ? [1, 0] : [1, 0, -1, 0, 1, 1];
  const labels = problem.task === 'segmentation' ? ofVoxels : Int32Array.from(ofImages);
  const draws = new Random('masks');
  const dropPathMasks = step.drawDropPath(() => draws.uniform());
  return { images, labels, learningRate: 1e-3, weightDecay: 0.01, ...(dropPathMasks && { dropPathMasks }) };
}

/** Every tensor of the state, copied. */
function snapshot(state: FineTuneState): Map<string, Float32Array> {
  return new Map(state.tensors().map(({ name, read }) => [name, read().slice()]));
}

function changed(before: Map<string, Float32Array>, after: Map<string, Float32Array>): string[] {
  return [...before.keys()].filter((name) => before.get(name)!.some((value, i) => value !== after.get(name)![i]));
}

describe.each(modalities)('%s', (modality) => {
  test.each([
    ['segmentation', segmentation, adamW],
    ['segmentation, SGD', segmentation, { kind: 'sgd' } as const],
    ['overlapping masks', overlappingMasks, adamW],
    ['classification', classification, adamW],
    ['several classes', severalClasses, adamW],
  ])('%s: the loss of one batch falls', async (_, problem, optimizer) => {
    const state = newState(problem, modality, { optimizer });
    const step = newStep(state, problem, { dropPath: 0.1, clipGradient: 12 });
    const inputs = { ...batchOf(step), learningRate: optimizer.kind === 'sgd' ? 0.02 : 5e-3 };
    const losses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { loss, gradientNorm } = await step.run(inputs);
      losses.push(loss);
      expect(gradientNorm).toBeGreaterThan(0);
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.05);
  });
});

test('eager and graph give the same', async () => {
  for (const problem of [segmentation, classification]) {
    const results = [];
    for (const executor of ['eager', 'graph'] as const) {
      const state = newState(problem, '3D');
      const step = newStep(state, problem, { executor });
      results.push({ result: await step.run(batchOf(step)), state: snapshot(state) });
    }
    const [eager, graph] = results as [(typeof results)[0], (typeof results)[0]];
    expect(graph.result.loss).toBeCloseTo(eager.result.loss, 5);
    expect(graph.result.gradientNorm / eager.result.gradientNorm).toBeCloseTo(1, 4);
  }
});

describe('what a step moves', () => {
  test('everything but the coarsest classifier', async () => {
    const state = newState(segmentation, '2D');
    const step = newStep(state, segmentation);
    const before = snapshot(state);
    await step.run(batchOf(step));
    const still = state.parameters.specs.filter(
      ({ name }) => !changed(before, snapshot(state)).includes(`network.${name}`),
    );
    expect(still.map(({ name }) => name)).toEqual(['ds0_cls_conv.weight', 'ds0_cls_conv.bias']);
    expect(step.trained).not.toContain('ds0_cls_conv.weight');
  });

  test.each([
    ['encoder', (name: string) => !name.startsWith('network.transformer.')],
    ['backbone', (name: string) => /transposeconv|stage3_de|cls_conv/.test(name)],
    ['all', (name: string) => /cls_conv/.test(name)],
  ] as const)('not the frozen %s', async (frozen, moves) => {
    const state = newState(segmentation, '2D', { frozen });
    const step = newStep(state, segmentation);
    const before = snapshot(state);
    await step.run(batchOf(step));
    const names = changed(before, snapshot(state)).filter((name) => name.startsWith('network.'));
    expect(names.length).toBeGreaterThan(5);
    expect(names.every(moves)).toBe(true);
    // What never moves has no moments.
    expect(state.tensors().some(({ name }) => name.startsWith('exp_avg.transformer'))).toBe(false);
  });

  test('first the head, then everything, over one state', async () => {
    const state = newState(classification, '2D');
    const head = newStep(state, classification, { frozen: 'backbone' });
    await head.run(batchOf(head));
    expect(state.counters()).toMatchObject({ counts: { layer0: 0, layer5: 1 } });
    const all = newStep(state, classification);
    await all.run(batchOf(all));
    expect(state.counters()).toMatchObject({ counts: { layer0: 1, layer5: 2 } });
  });

  test('less the further from the head: the first update of Adam is the learning rate', async () => {
    const state = newState(classification, '2D', { layerDecay: 0.5, optimizer: { kind: 'adamW', epsilon: 1e-30 } });
    const step = newStep(state, classification);
    const before = snapshot(state);
    await step.run({ ...batchOf(step), learningRate: 1e-2, weightDecay: 0 });
    const after = snapshot(state);
    const largest = (name: string) =>
      before.get(name)!.reduce((max, value, i) => Math.max(max, Math.abs(value - after.get(name)![i]!)), 0);
    expect(largest('network.head_new.bias')).toBeCloseTo(1e-2, 4);
    expect(largest('network.block4.0.norm1.bias')).toBeCloseTo(1e-2 / 2, 4);
    expect(largest('network.block1.0.norm1.bias')).toBeCloseTo(1e-2 / 16, 5);
    expect(largest('network.patch_embed2D0.norm.bias')).toBeCloseTo(1e-2 / 32, 5);
  });
});

test.each([adamW, { kind: 'sgd' } as const])('a state that is loaded goes on bit by bit: %j', async (optimizer) => {
  const whole = newState(segmentation, '2D', { optimizer });
  const step = newStep(whole, segmentation);
  const inputs = batchOf(step);
  await step.run(inputs);
  const [saved, counters] = [snapshot(whole), whole.counters()];
  await step.run(inputs);

  const resumed = newState(segmentation, '2D', { optimizer });
  await resumed.load((name) => saved.get(name), counters);
  await newStep(resumed, segmentation).run(inputs);
  expect(changed(snapshot(whole), snapshot(resumed))).toEqual([]);
});

test.each([adamW, { kind: 'sgd' } as const])('an update that fails does not count: %j', async (optimizer) => {
  const state = newState(classification, '2D', { optimizer });
  const step = newStep(state, classification);
  await step.run(batchOf(step));
  const before = state.counters();
  const failing = counted(state.optimizer, new Set(['layer0', 'layer5']), Promise.reject(new Error('out of memory')));
  await expect(failing).rejects.toThrow('out of memory');
  expect(state.counters()).toEqual(before);
});

test('counters of another state are refused', async () => {
  const state = newState(segmentation, '2D');
  const saved = snapshot(state);
  await expect(state.load((name) => saved.get(name), { counts: { layer0: 1 } })).rejects.toThrow(
    /counts of layer0, layer1, .*are needed/,
  );
});

describe('the forward pass', () => {
  test('gives at each voxel what lies between the cells of the stem', async () => {
    const state = newState(segmentation, '3D');
    const images = batchOf(newStep(state, segmentation)).images;
    const outputs = [];
    for (const grid of ['image', 'stem'] as const) {
      const forward = createForward(engine, state, { batch: 2, grid });
      disposables.push(forward);
      outputs.push({ shape: forward.shape, logits: await forward.run(images) });
    }
    const [fine, coarse] = outputs as [(typeof outputs)[0], (typeof outputs)[0]];
    expect([fine.shape, coarse.shape]).toEqual([
      [16, 64, 64, 3],
      [16, 32, 32, 3],
    ]);
    // Row 0, column 1 of the second slice: ¾ of cell 0, ¼ of cell 1.
    const at = (values: Float32Array, row: number, column: number, side: number) =>
      values[((side + row) * side + column) * 3]!;
    const expected = 0.75 * at(coarse.logits, 0, 0, 32) + 0.25 * at(coarse.logits, 0, 1, 32);
    expect(at(fine.logits, 0, 1, 64)).toBeCloseTo(expected, 5);
  });

  test('takes fewer images than a batch, and follows the state', async () => {
    const state = newState(classification, '2D');
    const forward = createForward(engine, state, { batch: 2 });
    disposables.push(forward);
    const step = newStep(state, classification);
    const inputs = batchOf(step);
    const both = await forward.run(inputs.images);
    const first = await forward.run(inputs.images.subarray(0, inputs.images.length / 2));
    expect(first).toHaveLength(3);
    first.forEach((value, i) => {
      expect(value).toBeCloseTo(both[i]!, 5);
    });
    const { logits } = await step.run(inputs);
    logits!.forEach((value, i) => {
      expect(value).toBeCloseTo(both[i]!, 4);
    });
    expect(await forward.run(inputs.images)).not.toEqual(both);
    await expect(forward.run(new Float32Array(5))).rejects.toThrow(/not 1 to 2 images of 64×64×2/);
  });
});

test('a step can be timed, and leaves no tensor behind', async () => {
  const options = { model: modelOf(overlappingMasks, '2D'), optimizer: adamW };
  const stepOptions = { problem: overlappingMasks, batch: 2, dropPath: 0.1 };
  expect(await millisecondsPerStep(engine, options, stepOptions)).toBeGreaterThan(0);
  const before = memory().numTensors;
  for (const executor of ['eager', 'graph'] as const)
    await millisecondsPerStep(engine, options, { ...stepOptions, executor });
  expect(memory().numTensors).toBe(before);
});

test('inputs of another size are refused', async () => {
  const state = newState(segmentation, '2D');
  const step = newStep(state, segmentation);
  const inputs = batchOf(step);
  await expect(step.run({ ...inputs, labels: new Int32Array(3) })).rejects.toThrow(/has 3 values, not 8192/);
  expect(() => createFineTuneStep(engine, state, { problem: classification, batch: 2 })).toThrow(/cannot learn/);
});
