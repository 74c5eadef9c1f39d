import { expect, it } from 'vitest';
import { FineTuneProgress } from './progress.ts';
import { learningRates } from './rates.ts';

const rates = (schedule: 'poly' | 'cosine' | 'constant', warmupEpochs = 0) =>
  learningRates({ lr: 0.1, schedule, warmupEpochs }, { steps: 100, stepsPerEpoch: 10 });

it('falls as nnU-Net’s, as half a cosine, or not', () => {
  const at = (schedule: Parameters<typeof rates>[0], step: number) => rates(schedule)({ step, timeUsed: 0 });
  expect(at('poly', 0)).toBe(0.1);
  expect(at('poly', 50)).toBeCloseTo(0.1 * 0.5 ** 0.9, 12);
  expect(at('cosine', 50)).toBeCloseTo(0.05, 12);
  expect(at('constant', 99)).toBe(0.1);
});

it('rises linearly while it warms up', () => {
  const rate = rates('constant', 0.5);
  const all = [0, 1, 4, 5].map((step) => rate({ step, timeUsed: 0 }).toFixed(9));
  expect(all.map(Number)).toEqual([0.02, 0.04, 0.1, 0.1]);
});

it('follows the hours where they have passed further than the steps, and never leaves 0', () => {
  expect(rates('poly')({ step: 10, timeUsed: 0.5 })).toBeCloseTo(0.1 * 0.5 ** 0.9, 12);
  expect(rates('poly')({ step: 10, timeUsed: 1.2 })).toBe(0);
});

it('early stopping counts validations since the best', () => {
  const since = (values: number[], better: 'lower' | 'higher') => {
    const progress = new FineTuneProgress();
    return values.map((value) => {
      progress.watch(value, better);
      return progress.since;
    });
  };
  expect(since([0.5, 0.4, 0.5, 0.6, 0.1], 'higher')).toEqual([0, 1, 2, 0, 1]);
  expect(since([0.5, 0.6, 0.4], 'lower')).toEqual([0, 1, 0]);
});
