import { expect, it } from 'vitest';
import { runRecordSchema } from './records.ts';

const time = '2026-01-02T03:04:05.678Z';
const step = {
  ...{ kind: 'step', step: 0, epoch: 0, group: '3D', loss: 4 },
  values: { learningRate: 0, 'term/volume-volume': 1 },
  ...{ stepMs: 900, waitMs: 0.5, rssMiB: 300, time },
};

it('reads a record of each kind back from JSON as it was', () => {
  const epoch = {
    ...{ kind: 'epoch', epoch: 0, group: null, step: 9, steps: 10, loss: 3, seconds: 1 },
    values: { teacherEntropy: 1 },
    warnings: [{ what: 'It stands still.', advice: 'Push it.' }, { what: 'It is warm.' }],
    time,
  };
  const event = { kind: 'event', event: 'broken', message: 'x', file: 'a.nii', details: { share: 0.1 }, time };
  for (const record of [step, { ...step, group: null }, epoch, event])
    expect(runRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
});

it('refuses numbers that JSON cannot hold, negative steps, unknown kinds and times without a zone', () => {
  for (const wrong of [
    { loss: Number.NaN },
    { loss: Number.POSITIVE_INFINITY },
    { values: { learningRate: Number.NaN } },
    { values: { learningRate: null } },
    { step: -1 },
    { kind: 'stepp' },
    { group: '4D' },
    { time: 'today' },
  ])
    expect(runRecordSchema.safeParse({ ...step, ...wrong }).success).toBe(false);
});
