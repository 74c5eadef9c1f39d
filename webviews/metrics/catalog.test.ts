import { expect, test } from 'vitest';
import { seriesOf } from '../../protocol/records/series.ts';
import { digitsOf, isSmoothed, recordedSeries } from './catalog.ts';
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
