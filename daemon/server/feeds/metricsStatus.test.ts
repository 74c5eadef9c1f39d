import { expect, test } from 'vitest';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { statusOf } from './metricsSubscription.ts';

const info = (more: Partial<RunInfo>) =>
  ({
    ...{ state: 'stopped', activity: null, progress: null, step: 199, epoch: 3, epochs: 8 },
    ...{ stage: null, queue: null, devices: ['cpu'] },
    ...more,
  }) as RunInfo;

test('a run that nothing trains keeps its progress, by epochs', () => {
  expect(statusOf(info({}))).toEqual({ state: 'stopped', progress: { step: 200, epoch: 3, totalEpochs: 8 } });
  expect(statusOf(info({ step: null, epoch: null, state: 'new' }))).toEqual({ state: 'new' });
});

test('a queued run says its place and what uses its device; a starting one its stage', () => {
  const queued = info({ activity: 'queued', queue: 2, waitsFor: ['chest', 'embed of liver'] });
  expect(statusOf(queued)).toMatchObject({
    state: 'queued',
    waits: 'Position 2 in the queue for cpu, used by chest, embed of liver.',
  });
  expect(statusOf({ ...queued, queue: 1, waitsFor: [] }).waits).toBe('Next in the queue for cpu.');
  expect(statusOf(info({ activity: 'starting', stage: 'Compiling' }))).toMatchObject({
    ...{ state: 'starting', waits: 'Compiling…' },
  });
});

test('a run in training has the progress of its trainer', () => {
  const progress = { step: 7, totalSteps: 70, epoch: 1, totalEpochs: 9, group: null, loss: 1, values: {} };
  expect(statusOf(info({ state: 'running', activity: 'training', progress }))).toEqual({
    state: 'running',
    progress: { step: 7, totalSteps: 70, epoch: 1, totalEpochs: 9 },
  });
  expect(statusOf(info({ activity: 'paused' })).state).toBe('paused');
});
