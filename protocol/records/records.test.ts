import { expect, it } from 'vitest';
import { lossTerms, runRecordSchema } from './records.ts';

const time = '2026-01-02T03:04:05.678Z';
const step = {
  kind: 'step',
  step: 0,
  epoch: 0,
  phase: '3D',
  loss: 4,
  terms: [1, 1, 1, 1],
  learningRate: 0,
  weightDecay: 0.04,
  momentum: 0.996,
  gradientNorm: 1,
  imagesPerSecond: 2,
  stepMs: 900,
  waitMs: 0.5,
  rssMiB: 300,
  time,
};

it('reads a record of each kind back from JSON as it was', () => {
  const epoch = {
    kind: 'epoch',
    epoch: 0,
    phase: '2D',
    step: 9,
    steps: 10,
    loss: 3,
    seconds: 1,
    collapse: { teacherEntropy: 1, klToUniform: 2, featureStd: 0.1, effectiveRank: 7 },
    warnings: [],
    time,
  };
  const event = { kind: 'event', event: 'broken', message: 'x', file: 'a.nii', details: { share: 0.1 }, time };
  for (const record of [step, epoch, event])
    expect(runRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
});

it('refuses numbers that JSON cannot hold, negative steps, unknown kinds and times without a zone', () => {
  for (const wrong of [
    { loss: Number.NaN },
    { loss: Number.POSITIVE_INFINITY },
    { step: -1 },
    { kind: 'stepp' },
    { time: 'today' },
  ])
    expect(runRecordSchema.safeParse({ ...step, ...wrong }).success).toBe(false);
});

it('names one term in 2D and four in 3D', () => {
  expect([lossTerms['2D'].length, lossTerms['3D'].length]).toEqual([1, 4]);
});
