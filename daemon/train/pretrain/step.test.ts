import { memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Modality } from '../../../protocol/modality.ts';
import { modalities } from '../../../protocol/modality.ts';
import { testEngine } from '../../../test/engine.ts';
import { smallestModel as config } from '../../../test/smallestModel.ts';
import { Random } from '../../data/random.ts';
import type { Engine } from '../../engine/index.ts';
import { createEmbed } from '../../infer/embed.ts';
import { createPretrainState, createPretrainStep, type PretrainState } from './index.ts';
import type { PretrainStep, PretrainStepInputs, PretrainStepOptions } from './types.ts';

let engine: Engine;
const disposables: { dispose(): void }[] = [];
beforeAll(async () => {
  engine = await testEngine();
});
afterAll(() => {
  for (const thing of disposables.reverse()) thing.dispose();
});

function newState(seed = 1): PretrainState {
  const state = createPretrainState(engine, config, seed);
  disposables.push(state);
  return state;
}

function newStep(state: PretrainState, options: Partial<PretrainStepOptions> & { phase: Modality }): PretrainStep {
  const step = createPretrainStep(engine, state, { batch: 2, ...options });
  disposables.push(step);
  return step;
}

function inputsOf(step: PretrainStep, changes: Partial<PretrainStepInputs> = {}): PretrainStepInputs {
  const { batch, phase, size } = step.options;
  const random = new Random('views', phase);
  const length = size.reduce((all, n) => all * n, 2 * batch * (phase === '2D' ? 3 : 1));
  const draws = new Random('masks');
  const dropPathMasks = step.drawDropPath(() => draws.uniform());
  return {
    views: Float32Array.from({ length }, () => random.uniform()),
    learningRate: 1e-2,
    weightDecay: 0.1,
    momentum: 0.9,
    teacherTemperature: 0.04,
    lastLayerFrozen: false,
    ...(dropPathMasks && { dropPathMasks }),
    ...changes,
  };
}

/** Every tensor of the state, copied. */
function snapshot(state: PretrainState): Map<string, Float32Array> {
  return new Map(state.tensors().map(({ name, read }) => [name, read().slice()]));
}

async function restore(state: PretrainState, values: Map<string, Float32Array>, counts = state.counts): Promise<void> {
  await state.load((name) => values.get(name));
  Object.assign(state.counts, counts);
}

function changed(before: Map<string, Float32Array>, after: Map<string, Float32Array>): string[] {
  return [...before.keys()].filter((name) => before.get(name)!.some((value, i) => value !== after.get(name)![i]));
}

function largestDifference(a: Map<string, Float32Array>, b: Map<string, Float32Array>): { name: string; off: number } {
  const differences = [...a.keys()].map((name) => ({
    name,
    off: a.get(name)!.reduce((max, value, i) => Math.max(max, Math.abs(value - b.get(name)![i]!)), 0),
  }));
  return differences.reduce((worst, next) => (next.off > worst.off ? next : worst));
}

describe('what a step moves', () => {
  test('2D leaves the parameters of volumes alone, but their teacher follows', async () => {
    const state = newState();
    const step = newStep(state, { phase: '2D' });
    // Student and teacher start equal: move the student's parameters for volumes, so that the teacher has something to follow.
    const values = snapshot(state);
    for (const [name, data] of values) if (name.startsWith('student.') && name.includes('3D')) data.fill(0.5);
    await restore(state, values);
    await step.run(inputsOf(step));
    const moved = changed(values, snapshot(state));
    expect(moved.filter((name) => name.includes('3D') && !name.startsWith('teacher.'))).toEqual([]);
    const volumes = state.student.learning.filter(({ modality }) => modality === '3D');
    expect(moved.filter((name) => name.includes('3D'))).toHaveLength(volumes.length);
    const pictures = state.student.learning.length - volumes.length;
    expect(moved.filter((name) => name.startsWith('student.'))).toHaveLength(pictures);
    expect(moved).toContain('center');
    expect(state.counts).toEqual({ shared: 1, volume: 0, lastLayer: 1 });
  });

  test('3D moves everything that learns', async () => {
    const state = newState();
    const step = newStep(state, { phase: '3D' });
    const before = snapshot(state);
    await step.run(inputsOf(step));
    const still = state.tensors().length - changed(before, snapshot(state)).length;
    expect(still).toBe(2); // the magnitudes of student and teacher
    expect(state.counts).toEqual({ shared: 1, volume: 1, lastLayer: 1 });
  });

  test('a frozen last layer keeps its values and moments; its own count waits', async () => {
    const state = newState();
    const step = newStep(state, { phase: '2D' });
    await step.run(inputsOf(step));
    const before = snapshot(state);
    await step.run(inputsOf(step, { lastLayerFrozen: true }));
    const moved = changed(before, snapshot(state)).filter((name) => name.includes('last_layer'));
    expect(moved).toEqual(['teacher.head.last_layer.weight_v']);
    expect(state.counts).toEqual({ shared: 2, volume: 0, lastLayer: 1 });
  });
});

describe('declared inputs', () => {
  const variations: [string, Partial<PretrainStepInputs>][] = [
    ['learning rate', { learningRate: 2e-2 }],
    ['weight decay', { weightDecay: 0.2 }],
    ['momentum', { momentum: 0.5 }],
    ['teacher temperature', { teacherTemperature: 0.07 }],
    ['frozen last layer', { lastLayerFrozen: true }],
  ];
  test.each(['graph', 'eager'] as const)('each changes the result, %s', async (executor) => {
    const state = newState();
    const step = newStep(state, { phase: '2D', executor, dropPath: 0.5 });
    const start = snapshot(state);
    const results: Map<string, Float32Array>[] = [];
    const resultOf = async (changes: Partial<PretrainStepInputs>, count = 0) => {
      await restore(state, start, { shared: count, volume: 0, lastLayer: count });
      await step.run(inputsOf(step, changes));
      return snapshot(state);
    };
    const base = await resultOf({});
    expect(changed(base, await resultOf({}))).toEqual([]);
    const { views } = inputsOf(step);
    const all = [...variations, ['views', { views: views.map((x) => 1 - x) }] as const];
    for (const [name, changes] of all) {
      const result = await resultOf(changes);
      expect(changed(base, result).length, name).toBeGreaterThan(0);
      results.push(result);
    }
    expect(changed(base, await resultOf({}, 7)).length, "Adam's counts").toBeGreaterThan(0);
    const ones = inputsOf(step).dropPathMasks!.map(() => 1);
    expect(changed(base, await resultOf({ dropPathMasks: ones })).length, 'masks').toBeGreaterThan(0);
  });

  test('impossible ones are refused by name', async () => {
    const step = newStep(newState(), { phase: '2D' });
    await expect(step.run(inputsOf(step, { views: new Float32Array(5) }))).rejects.toThrow(/"views".*5 values/s);
    await expect(step.run(inputsOf(step, { momentum: 0 }))).rejects.toThrow(/"momentum"/);
    await expect(step.run(inputsOf(step, { dropPathMasks: new Float32Array(3) }))).rejects.toThrow(/"dropPathMasks"/);
    expect(() => newStep(newState(), { phase: '2D', batch: 4, accumulate: 3 })).toThrow(/accumulate/);
    expect(() => newStep(newState(), { phase: '2D', size: [64, 72] })).toThrow(/64×72/);
  });
});

describe.each(modalities)('%s', (phase) => {
  test('micro-batches give what the full batch gives', async () => {
    const [state, other] = [newState(), newState()];
    const options = { phase, batch: 4, dropPath: 0.3 };
    const whole = newStep(state, options);
    const parts = newStep(other, { ...options, accumulate: 2 });
    for (let i = 0; i < 2; i++) {
      // Large epsilon-free Adam steps would magnify rounding where a gradient is nearly 0: small steps.
      const inputs = inputsOf(whole, { learningRate: 1e-4 });
      const [a, b] = [await whole.run(inputs), await parts.run(inputs)];
      expect(b.loss).toBeCloseTo(a.loss, 4);
      expect(b.gradientNorm / a.gradientNorm).toBeCloseTo(1, 3);
      expect(b.teacherEntropy).toBeCloseTo(a.teacherEntropy, 4);
      expect(b.teacherKl).toBeCloseTo(a.teacherKl, 4);
      expect(a.terms).toHaveLength(phase === '2D' ? 1 : 4);
      a.terms.forEach((value, k) => {
        expect(b.terms[k]).toBeCloseTo(value, 4);
      });
      b.features.forEach((value, k) => {
        expect(value).toBeCloseTo(a.features[k]!, 3);
      });
    }
    const { name, off } = largestDifference(snapshot(state), snapshot(other));
    expect(off, name).toBeLessThan(4.1e-4); // two steps of 1e-4 each way, where a gradient is all rounding
    const [firsts, seconds] = [snapshot(state), snapshot(other)];
    for (const [key, data] of firsts)
      if (key.startsWith('exp_avg.'))
        data.forEach((value, k) => {
          expect(Math.abs(value - seconds.get(key)![k]!)).toBeLessThan(1e-4);
        });
  });

  test('a state that was written and read continues bit for bit', async () => {
    const state = newState();
    const step = newStep(state, { phase });
    await step.run(inputsOf(step));
    const saved = snapshot(state);
    const counts = { ...state.counts };
    const first = await step.run(inputsOf(step));
    const expected = snapshot(state);
    const resumed = newState(2);
    await restore(resumed, saved, counts);
    const again = newStep(resumed, { phase });
    const second = await again.run(inputsOf(again));
    expect(second.loss).toBe(first.loss);
    expect(changed(expected, snapshot(resumed))).toEqual([]);
  });

  test('embedding gives the backbone features of either network, also of fewer images', async () => {
    const state = newState();
    const step = newStep(state, { phase });
    const inputs = inputsOf(step);
    const before = await embedding(state, 'student', inputs.views);
    const { features } = await step.run(inputs);
    before.forEach((value, i) => {
      expect(value).toBeCloseTo(features[i]!, 4);
    });
    const student = await embedding(state, 'student', inputs.views);
    const teacher = await embedding(state, 'teacher', inputs.views);
    expect(student).not.toEqual(before);
    expect(teacher).not.toEqual(student);
    const one = await embedding(state, 'student', inputs.views.subarray(0, inputs.views.length / 4));
    expect(one).toHaveLength(student.length / 4);
    one.forEach((value, i) => {
      expect(value).toBeCloseTo(student[i]!, 5);
    });
  });

  async function embedding(state: PretrainState, network: 'student' | 'teacher', images: Float32Array) {
    const embed = createEmbed(engine, { config, parameters: state[network] }, { modality: phase, batch: 4 });
    disposables.push(embed);
    return embed.run(images);
  }
});

test.each(['graph', 'eager'] as const)('no tensor is left over, %s', async (executor) => {
  const state = createPretrainState(engine, config, 1);
  const before = memory().numTensors;
  for (const accumulate of [1, 2]) {
    const step = createPretrainStep(engine, state, { phase: '2D', batch: 2, accumulate, executor, dropPath: 0.1 });
    await step.run(inputsOf(step));
    const running = memory().numTensors;
    await step.run(inputsOf(step));
    expect(memory().numTensors).toBe(running);
    step.dispose();
    expect(memory().numTensors).toBe(before);
  }
  state.dispose();
});

test('everything follows from the seed', () => {
  expect(changed(snapshot(newState(3)), snapshot(newState(3)))).toEqual([]);
  expect(changed(snapshot(newState(3)), snapshot(newState(4))).length).toBeGreaterThan(0);
});

test('a checkpoint that does not fit is refused by the name of the tensor', async () => {
  const state = newState();
  const values = snapshot(state);
  await expect(state.load((name) => (name === 'center' ? undefined : values.get(name)))).rejects.toThrow(
    /center: is missing/,
  );
  const wrong = 'student.backbone.norm.bias';
  await expect(state.load((name) => (name === wrong ? new Float32Array(3) : values.get(name)))).rejects.toThrow(
    /student\.backbone\.norm\.bias: has 3 values/,
  );
  const magnitude = 'teacher.head.last_layer.weight_g';
  await expect(
    state.load((name) => (name === magnitude ? new Float32Array(32).fill(2) : values.get(name))),
  ).rejects.toThrow(/magnitudes/);
});

describe('options beyond the reference', () => {
  const close = (a: number | undefined, b: number) => expect(a).toBeCloseTo(b, 4);

  test('separate centres: each output moves its own', async () => {
    const state = createPretrainState(engine, config, 1, 'separate');
    disposables.push(state);
    const out = config.head.out;
    const rowsOf = () => {
      const center = state.center.value();
      return [0, 1, 2].map((row) => center.slice(row * out, (row + 1) * out));
    };
    const moved = (row: Float32Array | undefined) => row?.some((value) => value !== 0);
    await newStep(state, { phase: '2D' }).run(inputsOf(newStep(state, { phase: '2D' })));
    expect(rowsOf().map(moved)).toEqual([true, false, false]);
    const [ofPictures] = rowsOf();
    const step = newStep(state, { phase: '3D' });
    await step.run(inputsOf(step));
    const [pictures, volumes, slices] = rowsOf();
    expect(pictures).toEqual(ofPictures);
    expect([volumes, slices].map(moved)).toEqual([true, true]);
    expect(volumes).not.toEqual(slices);
  });

  test('one centre moves after each term by the outputs of both; separate ones know only theirs', async () => {
    const [one, three] = [newState(), createPretrainState(engine, config, 1, 'separate')];
    disposables.push(three);
    const inputs = inputsOf(newStep(one, { phase: '3D' }));
    const first = await newStep(one, { phase: '3D' }).run(inputs);
    const second = await newStep(three, { phase: '3D' }).run(inputs);
    // The first term sees the centre at its beginning in both; from the second on they differ.
    close(second.terms[0], first.terms[0]!);
    expect(Math.abs(second.terms[3]! - first.terms[3]!)).toBeGreaterThan(1e-4);
  });

  test.each(modalities)('KoLeo adds its gradient but not to the loss, %s', async (phase) => {
    const [plain, spread] = [newState(), newState()];
    const [without, with_] = [newStep(plain, { phase }), newStep(spread, { phase, koleo: 0.5 })];
    const [a, b] = [await without.run(inputsOf(without)), await with_.run(inputsOf(with_))];
    close(b.loss, a.loss);
    expect(a.koleo).toBeUndefined();
    expect(b.koleo).toBeTypeOf('number');
    expect(Math.abs(b.gradientNorm - a.gradientNorm)).toBeGreaterThan(1e-3);
  });

  test('KoLeo needs the whole batch in one part', () => {
    expect(() => newStep(newState(), { phase: '2D', batch: 4, accumulate: 2, koleo: 0.1 })).toThrow(/train\.koleo/);
    expect(() => newStep(newState(), { phase: '2D', batch: 1, koleo: 0.1 })).toThrow(/train\.koleo/);
  });

  test('a stride passes every nth slice', async () => {
    const step = newStep(newState(), { phase: '3D', sliceStride: 4 });
    const inputs = inputsOf(step);
    const base = await step.run({ ...inputs, learningRate: 0 });
    const [depth, height, width] = config.size3D;
    const area = height * width;
    // Slices between do not matter to the slices' features, but to the volume's.
    const between = inputs.views.map((value, i) => ((Math.floor(i / area) % depth) % 4 === 0 ? value : 0.5));
    const other = newStep(newState(), { phase: '3D', sliceStride: 4 });
    const changed = await other.run({ ...inputs, views: between });
    changed.sliceFeatures!.forEach((value, i) => {
      close(base.sliceFeatures![i], value);
    });
    expect(changed.features).not.toEqual(base.features);
    expect(() => newStep(newState(), { phase: '3D', sliceStride: 5 })).toThrow(/train\.sliceStride/);
  });

  test('signs of collapse are there for each term, and their mean is the recorded one', async () => {
    const step = newStep(newState(), { phase: '3D' });
    const { teacherEntropies, teacherKls, teacherEntropy, teacherKl } = await step.run(inputsOf(step));
    const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / 4;
    close(mean(teacherEntropies), teacherEntropy);
    close(mean(teacherKls), teacherKl);
  });
});
