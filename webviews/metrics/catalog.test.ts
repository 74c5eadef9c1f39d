import { expect, test } from 'vitest';
import { seriesOf } from '../../protocol/records/series.ts';
import { digitsOf, isSmoothed, limitsOf, recordedSeries, shownSeries } from './catalog.ts';
import type { Run } from './store.ts';
import { Table } from './table.ts';

const run = (series: Run['series'], steps: readonly string[], epochs: readonly string[]): Run => {
  const table = (keys: readonly string[]) =>
    new Table({ columns: Object.fromEntries(['step', 'epoch', 'time', ...keys].map((key) => [key, [1]])) });
  return {
    ...{ id: 'a', name: 'a', state: 'running', events: [], previews: [], progress: undefined },
    ...{ series, steps: table(steps), epochs: table(epochs) },
  };
};

test('a number of a family is shown as its family is, titled by its name', () => {
  const family = { key: 'dice/*', title: 'Dice', unit: '', help: 'Of a class.' };
  const [shown] = recordedSeries([run([{ ...family, of: 'epoch', panel: 'validation' }], [], ['dice/liver'])]);
  expect(shown).toMatchObject({
    key: 'dice/liver',
    id: 'epochs:dice/liver',
    title: 'Dice: liver',
    panel: 'validation',
  });
});

test('members of a family have a chart with all of them, before the first of their own charts', () => {
  const keys = ['dice', 'dice/spleen', 'dice/aorta'];
  const shown = shownSeries([run(seriesOf.finetune, [], keys), run(seriesOf.finetune, [], ['dice/liver'])]);
  const own = shown.filter(({ panel }) => panel === 'validation');
  expect(own.map(({ title }) => title)).toEqual([
    'Mean Dice',
    'Dice of all classes',
    'Dice: aorta',
    'Dice: liver',
    'Dice: spleen',
  ]);
  expect(own[1]?.members?.map(({ name }) => name)).toEqual(['spleen', 'aorta', 'liver']);
  expect(own.map(({ interval }) => interval)).toEqual([true, true, true, true, true]);
  expect(shownSeries([run(seriesOf.finetune, [], ['dice/liver'])]).some(({ members }) => members)).toBe(false);
});

test('what was recorded is shown in the order of the catalogue, with what it says', () => {
  const shown = recordedSeries([run(seriesOf.pretrain, ['momentum', 'loss', 'term/volume-slices'], ['effectiveRank'])]);
  expect(shown.map(({ id, title, panel }) => [id, title, panel])).toEqual([
    ['steps:loss', 'Loss', 'loss'],
    ['steps:term/volume-slices', 'Volume → slices', 'loss'],
    ['steps:momentum', 'Teacher momentum', 'optimiser'],
    ['epochs:effectiveRank', 'Effective rank', 'collapse'],
  ]);
  expect(shown.map((info) => [isSmoothed(info), digitsOf(info)])).toEqual([
    [true, 4],
    [true, 4],
    [false, 6],
    [false, 4],
  ]);
});

test('a number that is not listed comes last, under a heading made from its key', () => {
  const shown = recordedSeries([run([], ['loss', 'cross3D'], ['aGap']), run(seriesOf.pretrain, ['loss'], [])]);
  expect(shown.map(({ id, title, panel, help }) => [id, title, panel, help])).toEqual([
    ['steps:loss', 'Loss', 'loss', seriesOf.pretrain[0]?.help],
    ['epochs:aGap', 'A gap', 'other', 'Recorded as aGap.'],
    ['steps:cross3D', 'Cross 3D', 'other', 'Recorded as cross3D.'],
  ]);
});

test('a panel of another version is "Other"', () => {
  const series = [{ key: 'dice', of: 'epoch', title: 'Dice', unit: '', panel: 'overlap', help: 'Overlap.' }] as const;
  expect(recordedSeries([run(series, [], ['dice'])])).toMatchObject([{ id: 'epochs:dice', panel: 'other' }]);
});

test('a series whose level depends on the modality is a chart for each; the overview has both in one', () => {
  const made = run(seriesOf.pretrain, ['loss', 'learningRate', 'phase'], ['effectiveRank', 'phase']);
  made.steps = new Table({
    columns: { step: [0, 1], epoch: [0, 1], time: [0, 1], loss: [5, 20], learningRate: [1, 1], phase: [2, 3] },
  });
  expect(shownSeries([made]).map(({ id, title, panel, modality }) => [id, title, panel, modality])).toEqual([
    ['steps:loss:overview', 'Loss per term', 'overview', 'each'],
    ['epochs:effectiveRank:overview', 'Effective rank', 'overview', 'each'],
    ['steps:loss:2D', 'Loss · 2D', 'loss', '2D'],
    ['steps:loss:3D', 'Loss · 3D', 'loss', '3D'],
    ['steps:learningRate', 'Learning rate', 'optimiser', undefined],
    ['epochs:effectiveRank:2D', 'Effective rank · 2D', 'collapse', '2D'],
    ['epochs:effectiveRank:3D', 'Effective rank · 3D', 'collapse', '3D'],
  ]);
});

test('a run without modalities has its curves in one chart, also beside a run that has them', () => {
  const plain = run(seriesOf.finetune, ['loss'], []);
  const grouped = run(seriesOf.pretrain, ['loss', 'phase'], []);
  grouped.steps = new Table({ columns: { step: [0], epoch: [0], time: [0], loss: [20], phase: [3] } });
  expect(shownSeries([plain]).map(({ id, title }) => [id, title])).toEqual([
    ['steps:loss:overview', 'Loss'],
    ['steps:loss', 'Loss'],
  ]);
  const ids = shownSeries([grouped, plain]).map(({ id }) => id);
  expect(ids).toEqual(['steps:loss:overview', 'steps:loss', 'steps:loss:3D']);
});

test('limits of several runs: each value once; where they differ, their labels name the runs', () => {
  const of = (name: string, value: number) => ({
    ...run(
      seriesOf.pretrain.map((one) =>
        one.key === 'featureStd' ? { ...one, limits: [{ value, wrong: 'below', label: 'alike' }] } : one,
      ),
      [],
      ['featureStd'],
    ),
    name,
  });
  const runs = [of('a', 0.1), of('b', 0.1), of('c', 0.2)];
  const [info] = recordedSeries(runs);
  expect(info && limitsOf(info, runs.slice(0, 2))).toEqual([{ value: 0.1, label: 'alike' }]);
  expect(info && limitsOf(info, runs)).toEqual([
    { value: 0.1, label: 'alike (a, b)' },
    { value: 0.2, label: 'alike (c)' },
  ]);
});
