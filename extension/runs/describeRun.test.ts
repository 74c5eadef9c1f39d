import { describe, expect, it } from 'vitest';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import {
  actionsOf,
  describeRun,
  inShort,
  isActive,
  percent,
  shareDone,
  shortName,
  standing,
  timeLeft,
} from './describeRun.ts';

const stopped: RunInfo = {
  id: 'chest-20261123-101010',
  folder: '/runs/chest-20261123-101010',
  task: 'pretrain',
  name: 'chest',
  state: 'stopped',
  preset: 'nano',
  created: '2026-11-23T10:10:10.000Z',
  epoch: 3,
  epochs: 8,
  step: 120,
  loss: 5.2345,
  losses: {},
  updated: '2026-11-23T10:20:00.000Z',
  from: null,
  score: null,
  activity: null,
  owner: null,
  stage: null,
  progress: null,
  queue: null,
  devices: ['cpu'],
  ending: null,
};
const training: RunInfo = {
  ...stopped,
  state: 'running',
  activity: 'training',
  owner: 'daemon',
  progress: {
    step: 339,
    totalSteps: 800,
    epoch: 6,
    totalEpochs: 16,
    group: '3D',
    loss: 6.913,
    values: { imagesPerSecond: 12 },
    secondsLeft: 240,
  },
};

describe('a run in words', () => {
  it('says how far training is, and how long it will take', () => {
    expect(describeRun(training)).toBe('42 % · 4 min left · loss 6.91 · epoch 7 of 16');
  });

  it('gives the loss of each modality, since their levels differ', () => {
    const losses = { '2D': 5.71, '3D': 24.94 };
    expect(describeRun({ ...training, losses })).toBe('42 % · 4 min left · loss 5.71 (2D) · 24.9 (3D) · epoch 7 of 16');
    expect(describeRun({ ...stopped, losses: { '2D': 5.71 } })).toBe('stopped · loss 5.71 (2D) · epoch 4 of 8');
  });

  it('gives the validation of a fine-tuning before its loss', () => {
    const score = { series: 'dice', value: 0.8712, epoch: 3 };
    expect(describeRun({ ...stopped, task: 'finetune', score })).toBe(
      'stopped · Dice 0.871 · loss 5.23 · epoch 4 of 8',
    );
  });

  it('shortens a long name in its middle', () => {
    expect(shortName('chest')).toBe('chest');
    const long = shortName('chest-ct-and-xray-pretraining-with-accumulation');
    expect(long).toBe('chest-ct-and-x…th-accumulation');
    expect(long).toHaveLength(30);
  });

  it('says of a run that is over what is known from its records', () => {
    expect(describeRun(stopped)).toBe('stopped · loss 5.23 · epoch 4 of 8');
    expect(describeRun({ ...stopped, state: 'new', epoch: null, loss: null })).toBe('not started');
  });

  it('keeps the share of a run in the status bar when others wait', () => {
    const queued = { ...training, activity: 'queued' as const, progress: null };
    expect(inShort([])).toBe('');
    expect(inShort([training])).toBe('42 %');
    expect(inShort([queued, training, queued])).toBe('42 % (+2 queued)');
    expect(inShort([training, training, queued])).toBe('2 runs (+1 queued)');
    expect(inShort([queued])).toBe('1 queued');
    expect(inShort([{ ...training, activity: null }])).toBe('training in another process');
  });

  it('says what it waits for', () => {
    const waiting = { ...training, progress: null };
    expect(describeRun({ ...waiting, activity: 'queued', queue: 1 })).toBe('queued, next');
    expect(describeRun({ ...waiting, activity: 'queued', queue: 3 })).toBe('queued, position 3 in the queue');
    expect(describeRun({ ...waiting, activity: 'starting', stage: 'compiling the 2D step' })).toBe(
      'compiling the 2D step',
    );
  });

  it('says when another process trains it', () => {
    const elsewhere: RunInfo = { ...stopped, state: 'running', owner: 'other' };
    expect(describeRun(elsewhere)).toBe('training in another process · loss 5.23 · epoch 4 of 8');
    expect(actionsOf(elsewhere)).toEqual([]);
    expect(isActive(elsewhere)).toBe(true);
  });
});

it('a run has the actions that the daemon would not refuse', () => {
  const actions = (activity: RunInfo['activity']) => actionsOf({ ...training, activity });
  expect(actionsOf({ ...training, activity: 'queued', queue: 1 })).toEqual(['cancel']);
  expect(actionsOf({ ...training, activity: 'queued', queue: 2 })).toEqual(['cancel', 'forward']);
  expect(actions('starting')).toEqual(['stop', 'kill']);
  expect(actions('training')).toEqual(['pause', 'stop', 'kill']);
  expect(actions('paused')).toEqual(['continue', 'stop', 'kill']);
  expect(actions('stopping')).toEqual(['kill']);
  expect(actionsOf(stopped)).toEqual(['resume', 'delete']);
  expect(actionsOf({ ...stopped, state: 'interrupted' })).toEqual(['resume', 'delete']);
  expect(actionsOf({ ...stopped, state: 'finished' })).toEqual(['delete']);
});

it('what the daemon does comes before what the records say', () => {
  expect(standing(training)).toBe('training');
  expect(standing({ ...training, activity: 'paused' })).toBe('paused');
  expect(standing(stopped)).toBe('stopped');
});

it('the share done is unknown before the first step is planned', () => {
  expect(shareDone(training)).toBeCloseTo(0.42375);
  expect(shareDone(stopped)).toBeUndefined();
  expect(shareDone({ ...training, progress: { ...training.progress!, totalSteps: 0 } })).toBeUndefined();
  expect(percent(0.999)).toBe('99 %');
});

it.each([
  [undefined, undefined],
  [0.2, '1 s left'],
  [59.4, '60 s left'],
  [89, '1 min left'],
  [3600, '1 h left'],
  [7500, '2 h 5 min left'],
  [47.9 * 3600, '47 h 54 min left'],
  [60 * 3600, '3 days left'],
])('%s seconds are "%s"', (seconds, text) => {
  expect(timeLeft(seconds)).toBe(text);
});
