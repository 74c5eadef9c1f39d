import { expect, test } from 'vitest';
import { seriesOf } from '../records/series.ts';
import { bestOf, type Judged, verdictOf } from './verdict.ts';

const run = (columns: Record<string, number[]>, signs: number[] = [], series = seriesOf.pretrain as never): Judged => ({
  series,
  epochs: (key) => columns[key],
  events: signs.map((epoch) => ({ event: 'sign', epoch })),
});
const epochs = { epoch: [0, 1, 2, 3], phase: [2, 2, 3, 3], loss: [6, 5.5, 25, 24.123] };

test('a healthy run: no sign of collapse, and the best loss of each modality', () => {
  expect(verdictOf(run(epochs))).toEqual({
    tone: 'good',
    text: 'No sign of collapse in 4 epochs. Best mean loss: 5.5 in 2D (epoch 2), 24.12 in 3D (epoch 4).',
  });
});

test('signs in the newest epochs of a modality are a warning; signs that are over are not', () => {
  expect(verdictOf(run(epochs, [1, 3]))).toMatchObject({
    tone: 'warning',
    text: expect.stringMatching(/^Warning signs in 2D since epoch 2 and in 3D since epoch 4\. Best/),
  });
  expect(verdictOf(run(epochs, [0, 2]))).toMatchObject({
    tone: 'good',
    text: expect.stringMatching(/^No sign of collapse since epoch 3\./),
  });
});

test('a fine-tuned run is judged by its validation, without modalities', () => {
  const columns = { epoch: [0, 1, 2], loss: [3, 2, 1], dice: [0.4, 0.8712, 0.86] };
  expect(verdictOf(run(columns, [], seriesOf.finetune as never))).toEqual({
    tone: 'good',
    text: 'Best mean Dice: 0.8712 (epoch 2).',
  });
});

test('before the first epoch ended there is no verdict', () => {
  expect(verdictOf(run({}))).toEqual({ tone: 'unknown', text: 'No epoch has ended yet.' });
});

test('an epoch without a value is passed over; a series without a direction has no best', () => {
  const columns = { epoch: [0, 1], loss: [Number.NaN, 3] };
  const [loss] = seriesOf.pretrain.filter(({ key, of }) => key === 'loss' && of === 'epoch');
  expect(bestOf(run(columns), loss as never)).toEqual([{ value: 3, epoch: 1, modality: undefined }]);
  expect(bestOf(run(columns), { ...(loss as object), better: undefined } as never)).toEqual([]);
});
