import { beforeAll, expect, test } from 'vitest';
import { testEngine } from '../../../test/engine.ts';
import { type Engine, type Executor, follow } from '../../engine/index.ts';
import { adamInputs, adamScalars, adamW } from './adamW.ts';
import { clip } from './clip.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-3 };

/** PyTorch's AdamW in float64. */
function reference(start: number[], gradients: number[][], rate: number, decay: number): number[] {
  const [p, m, v] = [[...start], start.map(() => 0), start.map(() => 0)];
  gradients.forEach((gradient, k) => {
    const t = k + 1;
    gradient.forEach((g, i) => {
      p[i]! *= 1 - rate * decay;
      m[i] = options.beta1 * m[i]! + (1 - options.beta1) * g;
      v[i] = options.beta2 * v[i]! + (1 - options.beta2) * g * g;
      const denominator = Math.sqrt(v[i]! / (1 - options.beta2 ** t)) + options.epsilon;
      p[i]! -= (rate * (m[i]! / (1 - options.beta1 ** t))) / denominator;
    });
  });
  return p;
}

function variables(start: number[]) {
  return {
    value: engine.variable('p', [start.length], Float32Array.from(start)),
    firstMoment: engine.variable('m', [start.length]),
    secondMoment: engine.variable('v', [start.length]),
  };
}

function updateStep(parameter: ReturnType<typeof variables>, executor: Executor, decays: boolean) {
  return engine.compile({
    name: 'adam',
    executor,
    inputs: {
      gradient: { shape: parameter.value.shape },
      ...Object.fromEntries(adamInputs.map((name) => [name, { shape: [] }])),
    },
    body: (inputs) => {
      adamW(parameter, inputs.gradient!, inputs as never, decays);
      return {};
    },
  });
}

const start = [1, -2, 0.5, 1e-3, 0];
const gradients = [
  [0.1, -3, 1e-4, 0, 2],
  [-0.2, -3, 1e-3, 0, -2],
  [0.3, 1, -1e-4, 1e-6, 0.5],
];

test.each(['graph', 'eager'] as const)("AdamW is PyTorch's, %s", async (executor) => {
  for (const decays of [true, false]) {
    const parameter = variables(start);
    const step = updateStep(parameter, executor, decays);
    for (const [k, gradient] of gradients.entries()) {
      const scalars = adamScalars(options, { learningRate: 0.01, weightDecay: 0.5, count: k + 1 });
      await step.run({ gradient: Float32Array.from(gradient), ...scalars } as never);
    }
    const expected = reference(start, gradients, 0.01, decays ? 0.5 : 0);
    parameter.value.value().forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 6);
    });
    step.dispose();
    for (const variable of Object.values(parameter)) variable.dispose();
  }
});

test('a frozen parameter and its moments stay bit for bit', async () => {
  const parameter = variables(start);
  const step = updateStep(parameter, 'graph', true);
  const run = (frozen: boolean) =>
    step.run({
      gradient: Float32Array.from(gradients[0]!),
      ...adamScalars(options, { learningRate: 0.01, weightDecay: 0.5, count: 1, frozen }),
    } as never);
  await run(false);
  const before = Object.values(parameter).map((variable) => variable.value());
  await run(true);
  expect(Object.values(parameter).map((variable) => variable.value())).toEqual(before);
  step.dispose();
});

test.each([
  [[3, 4], 5, [0.18, 0.24]],
  [[0.03, 0.04], 0.05, [0.03, 0.04]],
  [[0, 0], 0, [0, 0]],
])('the gradient %s of norm %s is clipped to %s', async (gradient, norm, clipped) => {
  const step = engine.compile({
    name: 'clip',
    executor: 'graph',
    inputs: { gradient: { shape: [2] } },
    body: (inputs) => clip(inputs.gradient, 0.3),
  });
  const result = await step.run({ gradient: Float32Array.from(gradient) });
  expect(result.norm[0]).toBeCloseTo(norm, 6);
  result.clipped.forEach((value, i) => {
    expect(value).toBeCloseTo(clipped[i]!, 6);
  });
  step.dispose();
});

test.each([0.996, 0.5, 1, 1e-3])('an average with momentum %s follows', async (momentum) => {
  const average = engine.variable('average', [3], Float32Array.of(1, 2, 3));
  const step = engine.compile({
    name: 'follow',
    executor: 'graph',
    inputs: { value: { shape: [3] }, momentum: { shape: [] } },
    body: (inputs) => {
      follow(average, inputs.value, inputs.momentum);
      return {};
    },
  });
  await step.run({ value: Float32Array.of(5, -1, 3), momentum });
  average.value().forEach((value, i) => {
    expect(value).toBeCloseTo(momentum * [1, 2, 3][i]! + (1 - momentum) * [5, -1, 3][i]!, 5);
  });
  step.dispose();
});
