import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { tasks } from '../../daemon/runs/start/tasks.ts';
import { trainerOf } from '../../daemon/runs/start/trainRun.ts';
import { TrainingControl } from '../../daemon/train/control.ts';
import type { FinetuneInput } from '../../protocol/config/finetune/index.ts';
import { resolveConfig } from '../../protocol/config/index.ts';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import type { EpochRecord, StepRecord } from '../../protocol/records/records.ts';
import { picturesWithClasses } from './labelledPhantoms.ts';
import { newestTensors, recordsOf, temporaryFolder } from './trainer.ts';

/**
 * What the options of a fine-tuning do to a whole run: which tensors move and how far, when it ends, what its loss is. All runs are trained in
 * this process, whose TensorFlow is opened once.
 */

let config: FinetuneInput;
/** A run of one step, from which the others start. */
let start: string;
let before: Map<string, Uint8Array>;
/** A run from there without an option. */
let usual: Awaited<ReturnType<typeof trained>>;
beforeAll(async () => {
  const own = temporaryFolder('options');
  config = {
    ...{ task: 'finetune', name: 'small', problem: 'classification', modality: '2D' },
    data: { path: picturesWithClasses(join(own, 'images'), 8), folds: 2, cache: join(own, 'cache'), workers: 0 },
    ...{ model: { preset: 'nano' }, plan: { patch: [64, 64] } },
    engine: { executor: 'eager', interOpThreads: 2, intraOpThreads: 2 },
    train: { epochs: 1, stepsPerEpoch: 1, batch: 4, lr: 1e-2, weightDecay: 0, seed: 3 },
  };
  start = (await trained({})).run;
  before = await newestTensors(start);
  usual = await trained({});
}, 120_000);

async function trained(train: FinetuneInput['train']) {
  const root = temporaryFolder('option');
  const given = {
    ...config,
    train: { ...config.train, ...train },
    ...(start !== undefined && { start: { from: start } }),
  };
  const text = JSON.stringify(given);
  const folder = await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'test'), { baseDir: root }));
  expect(await trainerOf(tasks)(folder, new TrainingControl())).toBe('finished');
  const run = folder.folder;
  const records = recordsOf(run);
  const steps = records.filter((record): record is StepRecord => record.kind === 'step');
  const epochs = records.filter((record): record is EpochRecord => record.kind === 'epoch');
  const finish = records.find((record) => record.kind === 'event' && record.event === 'finish');
  return { run, steps, epochs, ended: finish?.kind === 'event' ? finish.message : '' };
}

/** How far the tensors of the network moved at most, by the start of their names. */
async function moved(run: string): Promise<(prefix: string) => number> {
  const after = await newestTensors(run);
  const floats = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer);
  return (prefix) => {
    const names = [...before.keys()].filter((name) => name.startsWith(`network.${prefix}`));
    expect(names.length).toBeGreaterThan(0);
    return Math.max(
      ...names.map((name) => {
        const own = floats(after.get(name) ?? new Uint8Array());
        return floats(before.get(name) ?? new Uint8Array()).reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (own[i] ?? Number.NaN))),
          0,
        );
      }),
    );
  };
}

describe('which weights move', () => {
  test('all, and with layer decay the less the further they are from the head', async () => {
    const plain = await moved(usual.run);
    const decayed = await moved((await trained({ layerDecay: 0.1 })).run);
    expect(plain('patch_embed2D0.')).toBeGreaterThan(1e-3);
    expect(decayed('head_new')).toBeGreaterThan(1e-3);
    expect(decayed('patch_embed2D0.')).toBeGreaterThan(0);
    expect(decayed('patch_embed2D0.')).toBeLessThan(plain('patch_embed2D0.') / 100);
  }, 120_000);

  test('not a frozen encoder; of a linear probe the last layer alone', async () => {
    const probe = await moved((await trained({ freeze: 'all' })).run);
    const encoder = await moved((await trained({ freeze: 'encoder' })).run);
    for (const own of [probe, encoder]) {
      expect(own('head_new')).toBeGreaterThan(1e-3);
      expect(own('patch_embed2D0.')).toBe(0);
      expect(own('block1.')).toBe(0);
    }
    expect(probe('block')).toBe(0);
  }, 120_000);

  test('first the head, and everything once its epochs are over', async () => {
    const first = await moved((await trained({ headFirstEpochs: 1 })).run);
    expect(first('head_new')).toBeGreaterThan(1e-3);
    expect(first('block')).toBe(0);
    const later = await moved((await trained({ headFirstEpochs: 1, epochs: 2, schedule: 'constant' })).run);
    expect(later('block1.')).toBeGreaterThan(1e-4);
  }, 120_000);
});

describe('when a run ends', () => {
  test('at the end of the epoch in which its hours are over', async () => {
    const { epochs, ended } = await trained({ epochs: 10_000, hours: 0.00001 });
    expect(epochs).toHaveLength(1);
    expect(ended).toContain('trained for 0.00001 hours');
  }, 120_000);

  test('where the validation does not improve any more', async () => {
    const { epochs, ended } = await trained({
      ...{ epochs: 50, lr: 1e-12, earlyStopping: { metric: 'accuracy', patience: 2 } },
    });
    expect(epochs).toHaveLength(3);
    expect(ended).toContain('accuracy has not improved in 2 validations');
  }, 120_000);
});

test('label smoothing and class weights are in the loss, and weights of another number are refused', async () => {
  const firstLoss = async (train: FinetuneInput['train']) => (await trained(train)).steps[0]?.loss ?? Number.NaN;
  const plain = usual.steps[0]?.loss ?? Number.NaN;
  const [smooth, weighted, equal] = [
    await firstLoss({ labelSmoothing: 0.5 }),
    await firstLoss({ classWeights: [4, 1, 1, 1] }),
    await firstLoss({ classWeights: 'balanced' }),
  ];
  expect(Math.abs(smooth - plain)).toBeGreaterThan(1e-3);
  expect(Math.abs(weighted - plain)).toBeGreaterThan(1e-3);
  // Every class has as many cases.
  expect(equal).toBeCloseTo(plain, 5);
  await expect(trained({ classWeights: [1, 2] })).rejects.toThrow('has 2 weights, but there are 4 classes');
}, 120_000);
