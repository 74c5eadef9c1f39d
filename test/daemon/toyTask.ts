import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { Random } from '../../daemon/data/random.ts';
import type { Task } from '../../daemon/runs/start/task.ts';
import { readRequired } from '../../daemon/train/parameters/namedTensor.ts';
import { layOut } from '../../daemon/train/plan.ts';
import type { SavedState, Training, TrainingBatch } from '../../daemon/train/training.ts';
import { nameOf, type SharedConfig, sharedFields } from '../../protocol/config/shared.ts';

/** A kind of run that the product does not have: a linear model learns three weights from random numbers. */

const schema = z.strictObject({
  task: z.literal('toy'),
  name: nameOf('toy'),
  epochs: z.int().min(1).describe('Epochs in all.'),
  stepsPerEpoch: z.int().min(1).default(50).describe('Steps of each.'),
  seed: z.int().min(0).default(0).describe('Decides the numbers.'),
  ...sharedFields,
});
type Toy = z.output<typeof schema> & SharedConfig;

const truth = [1, -2, 0.5];
const length = truth.length;

class LinearState implements SavedState {
  readonly weights = new Float32Array(length);
  epochLoss = 0;
  epochSteps = 0;
  tensors() {
    return [{ name: 'weights', shape: [length], read: () => this.weights }];
  }
  counters() {
    const { epochLoss, epochSteps } = this;
    return { epochLoss, epochSteps };
  }
  async load(...[read, counters]: Parameters<SavedState['load']>) {
    this.weights.set(await readRequired(read, 'weights', [length]));
    ({ epochLoss: this.epochLoss, epochSteps: this.epochSteps } = z
      .object({ epochLoss: z.number(), epochSteps: z.int() })
      .parse(counters));
  }
  get distance() {
    return Math.hypot(...truth.map((value, i) => value - this.weights[i]!));
  }
}

interface Numbers extends TrainingBatch {
  readonly inputs: readonly number[];
  readonly target: number;
}

function toyTraining({ epochs, stepsPerEpoch, seed }: Toy): Training<Numbers> {
  const state = new LinearState();
  const plan = layOut(Array.from({ length: epochs }, () => ({ group: null, steps: stepsPerEpoch })));
  return {
    plan,
    state,
    description: `${plan.steps} steps on random numbers`,
    findings: [],
    prepare: () => undefined,
    async *batches(epoch, from) {
      for (let step = epoch.firstStep + from; step < epoch.firstStep + epoch.steps; step++) {
        await setImmediate(); // lets others have their turn, as a real step does
        const random = new Random(seed, 'toy', step);
        const inputs = truth.map(() => random.uniform(-1, 1));
        yield { images: 1, waitMs: 0, inputs, target: inputs.reduce((sum, x, i) => sum + x * truth[i]!, 0) };
      }
    },
    async step(_, { inputs, target }) {
      const error = inputs.reduce((sum, x, i) => sum + x * state.weights[i]!, 0) - target;
      for (const [i, x] of inputs.entries()) state.weights[i]! -= 0.05 * error * x;
      state.epochLoss += error ** 2;
      state.epochSteps++;
      return { loss: error ** 2, values: { distance: state.distance } };
    },
    async endEpoch() {
      const loss = state.epochLoss / state.epochSteps;
      state.epochLoss = 0;
      state.epochSteps = 0;
      const score = { series: 'meanDistance', value: state.distance, better: 'lower' } as const;
      return { loss, values: { meanDistance: state.distance }, warnings: [], score };
    },
    close: async () => undefined,
  };
}

const distance = {
  title: 'Distance to the truth',
  unit: '',
  panel: 'loss',
  better: 'lower',
  help: 'Euclidean distance of the three weights.',
  inTerminal: { heading: 'distance', decimals: 4 },
} as const;

/** The row that a list of kinds gets for it. */
export const toyTask: Task<Toy> = {
  config: {
    task: 'toy',
    title: 'Toy',
    schema,
    smallest: 'Write at least { "task": "toy", "epochs": 1 }.',
    remedies: {},
    template: '{ "task": "toy", "epochs": 1 }',
    choiceFields: { name: 'name' },
    problems: () => [],
    resolve: (config) => config as Toy,
    summary: ({ epochs }) => ({ preset: 'linear', epochs }),
  },
  survey: async ({ epochs, stepsPerEpoch }) => {
    const steps = epochs * stepsPerEpoch;
    const phase = { group: null, images: null, batch: 1, epochs, steps };
    return { images: [], unreadable: [], skipped: 0, epochs, steps, phases: [phase], concerns: [] };
  },
  stepKey: () => ({}),
  series: [
    { key: 'loss', of: 'step', title: 'Squared error', unit: '', panel: 'loss', help: 'Of one pair of numbers.' },
    { key: 'distance', of: 'step', ...distance },
    { key: 'meanDistance', of: 'epoch', ...distance, title: 'Distance after the epoch' },
  ],
  check: async () => undefined,
  open: async (config) => toyTraining(config),
};
