import { expect, it } from 'vitest';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { Elements, groupTitle, parentOf, rowsBelow } from './elements.ts';

const base: RunInfo = {
  ...{ id: '', folder: '', task: 'pretrain', name: '', state: 'finished', preset: 'nano' },
  ...{ created: '2026-11-23T10:10:10.000Z', epoch: 1, epochs: 2, step: 1, loss: 1, losses: {} },
  ...{ updated: '2026-11-23T10:10:10.000Z', from: null, score: null, activity: null, owner: null, stage: null },
  ...{ progress: null, queue: null, devices: ['cpu'], ending: null },
};
const run = (name: string, more: Partial<RunInfo> = {}): RunInfo => ({
  ...base,
  id: name,
  folder: `/runs/${name}`,
  ...more,
});
const finetuned = (name: string, from: string | null, more: Partial<RunInfo> = {}) =>
  run(name, { task: 'finetune', from, ...more });

const runs = [
  finetuned('liver-b', '/runs/liver-a/checkpoints/step-000000020.safetensors', { activity: 'queued', state: 'new' }),
  finetuned('liver-a', '/runs/chest', { activity: 'training', state: 'running' }),
  finetuned('liver-scratch', null, { state: 'failed' }),
  finetuned('liver-file', '/weights/a.pth'),
  run('chest'),
  run('other', { state: 'stopped' }),
];
const elements = new Elements();

it('lists runs that wait by their places in the queue', () => {
  const queued = (name: string, queue: number) => run(name, { activity: 'queued', state: 'new', queue });
  const below = rowsBelow(elements.group('queue'), [queued('c', 2), queued('b', 3), queued('a', 1)], 'state');
  expect(below.runs).toEqual(['/runs/a', '/runs/c', '/runs/b']);
});

it('groups runs by what they are doing; every run is in one group', () => {
  const { groups, runs: top } = rowsBelow(undefined, runs, 'state');
  expect(groups).toEqual(['active', 'queue', 'finished', 'ended']);
  expect(top).toEqual([]);
  const members = groups.map((group) => rowsBelow(elements.group(group), runs, 'state').runs);
  expect(members).toEqual([
    ['/runs/liver-a'],
    ['/runs/liver-b'],
    ['/runs/liver-file', '/runs/chest'],
    ['/runs/liver-scratch', '/runs/other'],
  ]);
  expect(rowsBelow(elements.run('/runs/chest'), runs, 'state')).toEqual({ groups: [], runs: [] });
});

it('by origin, the runs of an experiment are in one group, fine-tunings below their runs', () => {
  const own = { experiment: 'three' };
  const all = [
    run('three-joint-s1', own),
    finetuned('three-joint-c2D-n4-s1', '/runs/three-joint-s1', own),
    finetuned('three-scratch-c2D-n4-s1', null, own),
    run('chest'),
  ];
  expect(rowsBelow(undefined, all, 'origin')).toEqual({ groups: ['experiment three'], runs: ['/runs/chest'] });
  const group = elements.group('experiment three');
  expect(rowsBelow(group, all, 'origin').runs).toEqual(['/runs/three-joint-s1', '/runs/three-scratch-c2D-n4-s1']);
  expect(rowsBelow(elements.run('/runs/three-joint-s1'), all, 'origin').runs).toEqual(['/runs/three-joint-c2D-n4-s1']);
  expect(groupTitle('experiment three')).toBe('Experiment three');
});

it('groups runs by what they started from: a fine-tuning is below its run, of a fine-tuning too', () => {
  expect(rowsBelow(undefined, runs, 'origin')).toEqual({
    groups: ['scratch', 'otherWeights'],
    runs: ['/runs/chest', '/runs/other'],
  });
  expect(rowsBelow(elements.run('/runs/chest'), runs, 'origin').runs).toEqual(['/runs/liver-a']);
  expect(rowsBelow(elements.run('/runs/liver-a'), runs, 'origin').runs).toEqual(['/runs/liver-b']);
  expect(rowsBelow(elements.group('scratch'), runs, 'origin').runs).toEqual(['/runs/liver-scratch']);
  expect(rowsBelow(elements.group('otherWeights'), runs, 'origin').runs).toEqual(['/runs/liver-file']);
});

it('loses no run when the one that it started from is deleted', () => {
  const left = runs.filter(({ id }) => id !== 'chest');
  expect(rowsBelow(elements.group('otherWeights'), left, 'origin').runs).toEqual(['/runs/liver-a', '/runs/liver-file']);
  expect(parentOf(finetuned('self', '/runs/self'), [run('self')])).toBeUndefined();
});

it('gives the same object for the same row', () => {
  expect(elements.run('/a')).toBe(elements.run('/a'));
  expect(elements.run('/a')).not.toBe(elements.run('/b'));
  expect(elements.entry('/a', 'warnings', 1)).not.toBe(elements.entry('/a', 'checkpoints', 1));
});
