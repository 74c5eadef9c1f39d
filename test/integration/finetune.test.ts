import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FinetuneInput } from '../../protocol/config/finetune/index.ts';
import type { EpochRecord, StepRecord } from '../../protocol/records/records.ts';
import { afterStep, expectSameAfter, unbrokenRun, whileSaving } from './killAndResume.ts';
import { picturesWithClasses, picturesWithMasks, volumesWithClasses, volumesWithMasks } from './labelledPhantoms.ts';
import { onlyRun, recordsOf, runNames, temporaryFolder, unimiss, writeConfig } from './trainer.ts';

function configOf(
  change: Pick<FinetuneInput, 'problem' | 'modality'> & Partial<FinetuneInput>,
  path: string,
): FinetuneInput {
  return {
    ...{ task: 'finetune', name: 'small', data: { path, folds: 2 } },
    model: { preset: 'nano', dropPath: 0.1 },
    plan: { patch: change.modality === '2D' ? [64, 64] : [16, 64, 64] },
    engine: { interOpThreads: 2, intraOpThreads: 2 },
    ...change,
    train: { epochs: 2, stepsPerEpoch: 3, batch: 2, lr: 1e-3, seed: 3, ...change.train },
  };
}

const stepsOf = (run: string) => recordsOf(run).filter((record): record is StepRecord => record.kind === 'step');
const epochsOf = (run: string) => recordsOf(run).filter((record): record is EpochRecord => record.kind === 'epoch');
const eventsOf = (run: string, event: string) =>
  recordsOf(run).flatMap((record) => (record.kind === 'event' && record.event === event ? [record] : []));

const problems = {
  '3D segmentation': async (path: string) =>
    configOf({ problem: 'segmentation', modality: '3D' }, await volumesWithMasks(path, 4)),
  '3D classification': async (path: string) =>
    configOf({ problem: 'classification', modality: '3D' }, await volumesWithClasses(path, 8)),
  '2D segmentation': async (path: string) =>
    configOf({ problem: 'segmentation', modality: '2D', labels: 'overlapping' }, picturesWithMasks(path, 4)),
  '2D classification': async (path: string) =>
    configOf({ problem: 'classification', modality: '2D' }, picturesWithClasses(path, 8)),
};

describe.each(Object.entries(problems))('%s of phantoms', (name, make) => {
  test('is trained, validated, pictured and kept', async () => {
    const own = temporaryFolder(name.replace(' ', '-'));
    const config = await make(join(own, 'images'));
    const source = () => readdirSync(join(own, 'images'), { recursive: true, encoding: 'utf8' }).sort();
    const before = source();
    const { code, stderr } = await unimiss(own, ['finetune', writeConfig(own, config), '--foreground']);
    expect(code, stderr).toBe(0);
    expect(source()).toEqual(before); // prepared images lie in the cache
    const run = onlyRun(own);
    const segmentation = config.problem === 'segmentation';
    const best = segmentation ? 'dice' : 'auc';
    expect(stepsOf(run).map(({ step, group }) => [step, group])).toEqual(
      [0, 1, 2, 3, 4, 5].map((s) => [s, config.modality]),
    );
    for (const { values } of stepsOf(run)) {
      expect(values.learningRate).toBeLessThanOrEqual(1e-3);
      expect(values.imagesPerSecond).toBeGreaterThan(0);
      expect(Object.keys(values).includes('term/dice')).toBe(segmentation);
    }
    for (const { values } of epochsOf(run)) {
      expect(values.validationLoss).toBeTypeOf('number');
      expect(values[best]).toBeGreaterThanOrEqual(0);
      expect(values[best]).toBeLessThanOrEqual(1);
    }
    // Of the classification, a single patient may be all that a class has: then there is no interval.
    for (const { values, intervals = {} } of epochsOf(run))
      for (const [key, [low, high]] of Object.entries(intervals)) {
        expect(low).toBeLessThanOrEqual(values[key] ?? Number.NaN);
        expect(high).toBeGreaterThanOrEqual(values[key] ?? Number.NaN);
      }
    if (segmentation) expect(epochsOf(run).map(({ intervals }) => intervals?.dice)).not.toContain(undefined);
    const shown = eventsOf(run, 'preview').map(({ details }) => details as { images: string[][] });
    expect(shown.map(({ images }) => images[0]?.length)).toEqual(segmentation ? [2, 3] : [1, 1]);
    for (const file of shown.flatMap(({ images }) => images.flat()))
      expect(existsSync(join(run, 'previews', file))).toBe(true);
    const network = JSON.parse(readFileSync(join(run, 'network.json'), 'utf8'));
    expect(network).toMatchObject({ problem: config.problem, modality: config.modality, preset: 'nano', tilt: 0 });
    // Found on the cases for validation when the run ended.
    expect(Array.isArray(network.largestComponent)).toBe(segmentation);
    const { stdout } = await unimiss(own, ['runs', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'finished', name: 'small' });
  }, 120_000);
});

test('a fine-tuning that is killed while it trains and while it saves ends with the same bytes', async () => {
  const config = await problems['3D segmentation'](temporaryFolder('killed-images'));
  const all = { ...config, train: { ...config.train, epochs: 2 }, checkpoint: { everyMinutes: 0.001 } };
  const unbroken = await unbrokenRun(all);
  expect(await expectSameAfter(unbroken, [afterStep(1), whileSaving()])).toBe(2);
}, 240_000);

test('the number of threads that make patches does not change a run', async () => {
  const config = await problems['2D classification'](temporaryFolder('threads-images'));
  const losses = [];
  for (const workers of [0, 2]) {
    const own = temporaryFolder(`workers-${workers}`);
    const file = writeConfig(own, { ...config, data: { ...config.data, workers } });
    const { code, stderr } = await unimiss(own, ['finetune', file, '--foreground']);
    expect(code, stderr).toBe(0);
    losses.push(stepsOf(onlyRun(own)).map(({ loss }) => loss));
  }
  expect(losses[1]).toEqual(losses[0]);
}, 120_000);

test('the daemon trains it from another run, and queues its twin from scratch', async () => {
  const own = temporaryFolder('twin');
  const config = configOf(
    { problem: 'classification', modality: '2D', train: { epochs: 1, stepsPerEpoch: 1 } },
    picturesWithClasses(join(own, 'images'), 8),
  );
  const file = writeConfig(own, { ...config, name: 'first' });
  const first = await unimiss(own, ['finetune', file]);
  expect(first.code, first.stderr).toBe(0);
  const from = runNames(own)[0]!;
  const { code, stderr } = await unimiss(own, [
    'finetune',
    file,
    '--from',
    from,
    '--set',
    'name=second',
    '--from-scratch-twin',
    ...['--hours', '2'],
  ]);
  expect(code, stderr).toBe(0);
  const runs = join(own, 'runs');
  const second = runNames(own).find((name) => name.startsWith('second-2'))!;
  expect(
    eventsOf(join(runs, second), 'notice')
      .map(({ message }) => message)
      .join(),
  ).toMatch(/Weights from .*0 newly initialised/);
  const twin = runNames(own).find((name) => name.startsWith('second-scratch'))!;
  expect((await unimiss(own, ['daemon', 'stop', '--stop-runs'])).code).toBe(0);
  const { start, name, train } = JSON.parse(readFileSync(join(runs, twin, 'config.resolved.json'), 'utf8'));
  expect({ start, name }).toMatchObject({ name: 'second-scratch', start: { from: null, twinOf: second } });
  expect(train.hours).toBe(2);
}, 180_000);

test('a configuration of another kind, of another problem, and weights that are not there are refused', async () => {
  const own = temporaryFolder('refused');
  const path = picturesWithClasses(join(own, 'images'), 8);
  const wrong = async (config: FinetuneInput, ...args: string[]) => {
    const { code, stderr } = await unimiss(own, ['finetune', writeConfig(own, config), '--foreground', ...args]);
    expect(code).not.toBe(0);
    return stderr;
  };
  const config = configOf({ problem: 'classification', modality: '2D' }, path);
  expect(await wrong(config, '--from', 'nowhere')).toMatch(/nowhere: there is no such run or file/);
  expect(await wrong(config, '--from-scratch-twin')).toMatch(/names no weights.*\n.*--from/);
  expect(runNames(own)).toEqual([]);
  expect(await wrong({ ...config, problem: 'segmentation' })).toMatch(
    /is for classification, but `problem` is "segmentation"/,
  );
  expect(await wrong({ ...config, data: { path: join(own, 'none') } })).toMatch(/none: .*does not exist|no such/);
  const { stderr } = await unimiss(own, ['pretrain', writeConfig(own, config)]);
  expect(stderr).toMatch(/of the kind "finetune"\n.*unimiss finetune/);
}, 60_000);
