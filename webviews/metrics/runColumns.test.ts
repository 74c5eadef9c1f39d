import { expect, test } from 'vitest';
import { seriesOf } from '../../protocol/records/series.ts';
import { differingSettings, runColumns } from './runColumns.ts';
import type { Run } from './store.ts';
import { Table } from './table.ts';

const run = (name: string, more: Partial<Run> = {}): Run => ({
  ...{ id: name, name, state: 'running', events: [], previews: [], progress: undefined, series: seriesOf.pretrain },
  steps: new Table({
    columns: { step: [0, 1], epoch: [0, 1], time: [0, 1], phase: [2, 3], loss: [5, 20.5] },
  }),
  epochs: new Table({ columns: { step: [0], epoch: [0], time: [0], phase: [2], loss: [5] } }),
  ...more,
});

test('only settings that differ are told; a run that tells none does not count', () => {
  const settings = (lr: string, batch: string) => ({ name: lr, 'train.lr': lr, 'train.batch.2D': batch });
  const runs = [run('a', { settings: settings('0.1', '8') }), run('b', { settings: settings('0.2', '8') }), run('c')];
  expect(differingSettings(runs)).toEqual(['train.lr']);
  expect(differingSettings(runs.slice(1))).toEqual([]);
  expect(differingSettings([run('a', { settings: { x: '1' } }), run('b', { settings: {} })])).toEqual(['x']);
});

test('the columns of pre-training: state, epoch, checks, the loss of each modality', () => {
  const progress = { step: 2, epoch: 1, totalEpochs: 200 };
  const runs = [run('a', { progress }), run('b', { state: 'stopped', events: [sign(0)] })];
  const cells = runColumns(runs).map(({ title, text }) => [title, ...runs.map(text)]);
  expect(cells).toEqual([
    ['State', 'running', 'stopped'],
    ['Epoch', '2 of 200', '2'],
    ['Collapse checks', 'passed', 'warning signs'],
    ['Loss 2D', '5', '5'],
    ['Loss 3D', '20.5', '20.5'],
  ]);
});

test('fine-tuning has one loss and its best score; numbers sort as numbers', () => {
  const tuned = run('c', {
    series: seriesOf.finetune,
    steps: new Table({ columns: { step: [0], epoch: [0], time: [0], loss: [0.75] } }),
    epochs: new Table({ columns: { step: [0, 1], epoch: [0, 1], time: [0, 1], dice: [0.9, 0.8] } }),
    settings: { 'train.lr': '0.01' },
  });
  const other = run('d', { ...tuned, settings: { 'train.lr': '0.2' } });
  const columns = runColumns([tuned, other]);
  expect(columns.map(({ title, text }) => [title, text(tuned)])).toEqual([
    ['State', 'running'],
    ['Epoch', '1'],
    ['Loss', '0.75'],
    ['Best Mean Dice', '0.9'],
    ['train.lr', '0.01'],
  ]);
  expect(columns.at(-1)?.value(other)).toBe(0.2);
});

function sign(epoch: number): Run['events'][number] {
  return { kind: 'warning', event: 'sign', step: 0, epoch, message: 'flat' };
}
