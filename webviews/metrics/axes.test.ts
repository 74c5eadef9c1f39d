import { expect, test } from 'vitest';
import { phaseSpans, positionOfStep, positions } from './axes.ts';
import type { Run } from './store.ts';
import { Table } from './table.ts';

const second = 1000;
const run: Run = {
  id: 'a',
  name: 'A',
  state: 'running',
  series: [],
  steps: new Table({
    columns: {
      step: [0, 1, 2, 3, 4, 5],
      epoch: [0, 0, 1, 1, 2, 2],
      phase: [2, 2, 3, 3, 2, 2],
      // A night between steps 3 and 4.
      time: [0, 1, 2, 4, 40_004, 40_005].map((s) => s * second),
    },
  }),
  epochs: new Table({ columns: { step: [1, 3], epoch: [0, 1], phase: [2, 3] } }),
  events: [],
  previews: [],
  progress: undefined,
};

test('a run without groups has no spans', () => {
  const table = (phase: Record<string, number[]>) => new Table({ columns: { step: [0, 1, 2], ...phase } });
  const spans = (phase: Record<string, number[]>) =>
    phaseSpans({ ...run, steps: table(phase) }, Float64Array.of(0, 1, 2));
  expect(spans({})).toEqual([]);
  expect(spans({ phase: [Number.NaN, Number.NaN, 2] })).toEqual([{ phase: '2D', from: 2, to: 2 }]);
});

test('training time leaves out interruptions', () => {
  expect([...positions(run, 'steps', 'time')]).toEqual([0, 1, 2, 4, 5, 6]);
});

test('an epoch has fractions; its record lies at its end', () => {
  expect([...positions(run, 'steps', 'epoch')]).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
  expect([...positions(run, 'epochs', 'epoch')]).toEqual([1, 2]);
  expect([...positions(run, 'epochs', 'time')]).toEqual([1, 4]);
});

test('an unfinished epoch is as long as the last one of its phase', () => {
  const live = {
    ...run,
    steps: new Table({ columns: { step: [0, 1, 2, 3, 4], epoch: [0, 0, 0, 0, 1], phase: [2, 2, 2, 2, 2] } }),
  };
  expect([...positions(live, 'steps', 'epoch')]).toEqual([0, 0.25, 0.5, 0.75, 1]);
});

test('phases and events lie where their steps are', () => {
  const rows = positions(run, 'steps', 'time');
  expect(phaseSpans(run, rows)).toEqual([
    { phase: '2D', from: 0, to: 2 },
    { phase: '3D', from: 2, to: 5 },
    { phase: '2D', from: 5, to: 6 },
  ]);
  expect(positionOfStep(run, 3, rows)).toBe(4);
});
