import { describe, expect, it } from 'vitest';
import { type FinetuneConfig, resolveConfig } from '../index.ts';
import { checkConfig, parseConfig } from '../parseConfig.ts';
import { finetuneKind } from './index.ts';
import type { FinetuneGiven } from './schema.ts';

const where = { baseDir: '/project', home: '/home/me', cache: '/cache' };
const text = (problem: string, modality: string, more: object = {}) =>
  JSON.stringify({ task: 'finetune', problem, modality, data: { path: 'set' }, ...more });
const resolved = (...given: Parameters<typeof text>) =>
  resolveConfig<FinetuneConfig>(parseConfig<FinetuneGiven>(text(...given), 'a'), where);
const problemsOf = (...given: Parameters<typeof text>) => checkConfig(text(...given)).problems;

describe('defaults follow the problem', () => {
  it('segmentation of volumes: the settings of nnU-Net with AdamW', () => {
    const { plan, train, data } = resolved('segmentation', '3D');
    expect(plan).toMatchObject({ patch: [48, 192, 192], fit: 'crop', spacing: null });
    expect(plan.channels).toEqual([
      { name: 'CT', normalization: { scheme: 'clip', range: [-1024, 325], mean: -158.58, deviation: 324.7 } },
    ]);
    expect(train).toMatchObject({ epochs: 100, stepsPerEpoch: 250, batch: 2, lr: 1e-4, schedule: 'poly' });
    expect(train).toMatchObject({ optimizer: 'adamW', earlyStopping: null, best: 'dice', deepSupervision: true });
    expect(data).toMatchObject({ path: '/project/set', cache: '/cache/preprocessed', fold: 0, folds: 5 });
  });

  it('classification: AdamW at 5e-5, until the AUC has not risen for 30 validations', () => {
    const { plan, train } = resolved('classification', '3D');
    expect(plan).toMatchObject({ patch: [64, 128, 128], fit: 'resize' });
    expect(train).toMatchObject({ lr: 5e-5, weightDecay: 5e-3, batch: 8, stepsPerEpoch: null, best: 'auc' });
    expect(train.earlyStopping).toEqual({ metric: 'auc', patience: 30 });
    expect(resolved('classification', '2D', { train: { earlyStopping: null } }).train.earlyStopping).toBeNull();
  });

  it('pictures are 224×224 with three channels; SGD has rates of its own; hours lift the limit of epochs', () => {
    expect(resolved('segmentation', '2D').plan).toMatchObject({ patch: [224, 224], channels: { length: 3 } });
    expect(resolved('segmentation', '2D', { train: { optimizer: 'sgd' } }).train).toMatchObject({
      lr: 0.01,
      weightDecay: 3e-5,
    });
    expect(resolved('segmentation', '3D', { train: { hours: 2 } }).train).toMatchObject({ hours: 2, epochs: 10_000 });
  });
});

it('a resolved configuration is valid and resolves to itself; its paths are absolute', () => {
  const config = resolved('classification', '3D', {
    start: { from: '~/run' },
    data: { path: 'a.csv', split: 's.json' },
  });
  expect(config.start.from).toBe('/home/me/run');
  expect(config.data.split).toBe('/project/s.json');
  const again = parseConfig(JSON.stringify(config), 'b');
  expect(again).toEqual(config);
  expect(resolveConfig(again, { baseDir: '/elsewhere' })).toEqual(config);
  expect(finetuneKind.summary(config)).toEqual({
    ...{ preset: 'tiny', epochs: 100, slices: 16 },
    ...{ from: '/home/me/run', score: 'auc', pictures: ['image', 'reference', 'prediction'] },
  });
});

it('the template is a valid configuration', () => {
  expect(parseConfig(finetuneKind.template, 'template')).toMatchObject({ task: 'finetune', problem: 'segmentation' });
});

it.each([
  ['3D', { plan: { patch: [64, 64] } }, 'plan.patch', /has 2 values.*"3D"/],
  ['3D', { plan: { patch: [16, 65, 64] } }, 'plan.patch', /does not fit the network/],
  ['3D', { plan: { patch: 7 } }, 'plan.patch', /not valid/],
  ['2D', { plan: { spacing: [1, 1, 1] } }, 'plan.spacing', /has 3 values/],
  ['2D', { plan: { spacing: [1, 1] } }, 'plan.spacing', /no spacing/],
  ['3D', { data: { path: 'a', folds: 3, fold: 3 } }, 'data.fold', /no fold 3/],
  ['3D', { train: { best: 'auc' } }, 'train.best', /not measured for segmentation/],
  ['3D', { train: { earlyStopping: { metric: 'accuracy' } } }, 'train.earlyStopping.metric', /not measured/],
  ['3D', { train: { freeze: 'encoder' } }, 'train.freeze', /random weights/],
  ['3D', { train: { headFirstEpochs: 1 } }, 'train.headFirstEpochs', /pre-trained/],
  ['3D', { train: { labelSmoothing: 0.1 } }, 'train.labelSmoothing', /for classification/],
  ['3D', { labels: 'overlapping', train: { classWeights: [1] } }, 'train.classWeights', /overlapping/],
  ['3D', { engine: { gpu: 1 } }, 'engine.gpu', /GPU 1/],
  ['3D', { train: { epohcs: 1 } }, 'train.epohcs', /unknown key/],
  ['4D', {}, 'modality', /"4D" is not one of/],
  [
    '3D',
    { plan: { channels: [{ name: 'CT', normalization: { scheme: 'clip', range: [1, 1], mean: 0, deviation: 1 } }] } },
    'plan.channels.0.normalization.range',
    /not a range/,
  ],
] as const)('%s %j is refused at %s', (modality, more, field, message) => {
  const [first, ...others] = problemsOf('segmentation', modality, more);
  expect(first).toMatchObject({ field, message: expect.stringMatching(message) });
  expect(others).toEqual([]);
});
