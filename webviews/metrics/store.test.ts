import { expect, test } from 'vitest';
import { mostSeries } from '../../protocol/metrics/page.ts';
import { MetricsStore } from './store.ts';

const run = {
  id: 'a',
  name: 'A',
  state: 'running',
  series: [],
  steps: { columns: { step: [0], loss: [5] } },
  epochs: { columns: {} },
  events: [],
  previews: [],
};
const snapshot = (sequence: number) => ({ type: 'snapshot', sequence, title: 'T', summary: [], runs: [run] });
const append = (sequence: number, loss: number) => ({
  type: 'append',
  sequence,
  run: 'a',
  steps: { columns: { step: [sequence], loss: [loss] } },
});

test('messages are taken once and in order; what is missing is noticed', () => {
  const store = new MetricsStore();
  expect(store.apply(append(1, 4))).toBe('gap');
  expect(store.apply(snapshot(7))).toBe('changed');
  expect(store.apply(append(8, 4))).toBe('changed');
  expect(store.apply(append(8, 4))).toBe('old');
  expect(store.apply(append(10, 2))).toBe('gap');
  expect(store.apply(append(9, 3))).toBe('changed');
  expect([...store.runs.get('a')!.steps.values('loss')!]).toEqual([5, 4, 3]);
  expect(store.sequence).toBe(9);
});

test('a snapshot replaces everything, even with a lower number', () => {
  const store = new MetricsStore();
  store.apply(snapshot(7));
  store.apply(append(8, 4));
  expect(store.apply(snapshot(2))).toBe('changed');
  expect(store.runs.get('a')!.steps.length).toBe(1);
  expect(store.apply({ type: 'remove', sequence: 3, run: 'a' })).toBe('changed');
  expect(store.runs.size).toBe(0);
});

test.each([
  ['nothing', undefined],
  ['text', 'hello'],
  [
    'columns of unequal length',
    { ...snapshot(1), runs: [{ ...run, steps: { columns: { step: [1, 2], loss: [1] } } }] },
  ],
  ['text in a column', { ...snapshot(1), runs: [{ ...run, steps: { columns: { step: ['1'] } } }] }],
  [
    'a picture from elsewhere',
    {
      ...snapshot(1),
      runs: [
        { ...run, previews: [{ step: 0, epoch: 0, phase: '2D', images: [{ views: ['https://example.org/a.png'] }] }] },
      ],
    },
  ],
])('%s is refused with a reason, and what was there stays', (_, message) => {
  const store = new MetricsStore();
  store.apply(snapshot(1));
  expect(store.apply(message)).toBe('refused');
  expect(store.refusal).not.toBe('');
  expect(store.runs.size).toBe(1);
});

test('runs of one name are told apart by their folders', () => {
  const store = new MetricsStore();
  const named = (id: string, name: string) => ({ ...run, id, name });
  store.apply({
    ...snapshot(0),
    runs: [named('/runs/ct-1', 'ct'), named('/runs/ct-2', 'ct'), named('/runs/xray-1', 'xray')],
  });
  expect([...store.runs.values()].map(({ name }) => name)).toEqual(['ct-1', 'ct-2', 'xray']);
});

test('of a run with too many series, the first ones are kept, and one event says so', () => {
  const store = new MetricsStore();
  store.apply(snapshot(1));
  const many = (sequence: number, name: string) => ({
    ...append(sequence, 1),
    steps: {
      columns: {
        step: [sequence],
        loss: [1],
        ...Object.fromEntries(Array.from({ length: mostSeries }, (_, i) => [`${name}/${i}`, [i]])),
      },
    },
  });
  for (const [i, name] of ['a', 'b', 'a'].entries()) expect(store.apply(many(i + 2, name))).toBe('changed');
  const run = store.runs.get('a')!;
  // `step` is a position; `loss` is a series.
  expect(run.steps.keys).toHaveLength(1 + mostSeries);
  expect(run.steps.keys.at(-1)).toBe(`a/${mostSeries - 2}`);
  expect(run.steps.length).toBe(4);
  expect([...run.steps.values(`a/7`)!]).toEqual([Number.NaN, 7, Number.NaN, 7]);
  expect(run.events).toMatchObject([{ kind: 'info', message: expect.stringContaining(`"a/${mostSeries - 1}"`) }]);
});
