import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { openDataset } from '../../daemon/data/datasets/unlabelled.ts';
import { Random } from '../../daemon/data/random.ts';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { embedWithRun } from '../../daemon/runs/jobs/embedRun.ts';
import { imageHash, TrainedImages } from '../../daemon/runs/records/imageHashes.ts';
import { tasks } from '../../daemon/runs/start/tasks.ts';
import { trainerOf } from '../../daemon/runs/start/trainRun.ts';
import { TrainingControl } from '../../daemon/train/control.ts';
import { resolveConfig } from '../../protocol/config/index.ts';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import type { PretrainInput } from '../../protocol/config/pretrain/index.ts';
import { fewPhantoms, recordsOf, smallConfig, temporaryFolder } from './trainer.ts';

const folder = temporaryFolder('weights');
vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'config'));
afterEach(() => void vi.restoreAllMocks());
const manifest = await fewPhantoms(join(folder, 'images'), 0, 4);

function createRun(name: string, change: (config: PretrainInput) => void = () => undefined): Promise<RunFolder> {
  const config = smallConfig(manifest, (given) => {
    given.name = name;
    given.train = { ...given.train, epochs: 1 };
    given.records = { previews: false };
    change(given);
  });
  const text = JSON.stringify(config);
  return RunFolder.create(join(folder, 'runs'), text, resolveConfig(parseConfig(text, 'test'), { baseDir: folder }));
}

const train = trainerOf(tasks);
const checkpointOf = (run: RunFolder) => {
  const newest = readdirSync(run.checkpointsFolder)
    .filter((name) => name.endsWith('.safetensors'))
    .at(-1);
  return join(run.checkpointsFolder, newest ?? 'none');
};

/** Features by the student that a run starts with. */
async function initialFeatures(run: RunFolder): Promise<Float32Array | undefined> {
  const dataset = await openDataset({ manifest, maxBroken: 0 });
  return (await embedWithRun(run, dataset, { network: 'student', weights: 'initial' }))['2D']?.features;
}

test('a run from weights reports what it took; embed calls its start "initial"; a resume draws no weights', async () => {
  const first = await createRun('first');
  expect(await train(first, new TrainingControl())).toBe('finished');
  const fromWeights = (config: PretrainInput) => {
    config.train = { ...config.train, initialWeights: checkpointOf(first) };
    config.model = { ...config.model, head: { hidden: 32, bottleneck: 16, outDim: 48 } };
  };
  const second = await createRun('second', fromWeights);
  const seeded = await createRun('seeded');
  const [features, other] = [await initialFeatures(second), await initialFeatures(seeded)];
  expect(features).toBeDefined();
  expect(features).not.toEqual(other); // the same seed, but the weights come from the file
  const trained = await embedWithRun(first, await openDataset({ manifest, maxBroken: 0 }), {
    network: 'student',
    weights: 'last',
  });
  expect(features).toEqual(trained['2D']?.features);

  // Stopped after its first step, and resumed.
  const control = new TrainingControl();
  expect(await train(second, control, { onProgress: () => control.stop({ by: 'client' }) })).toBe('stopped');
  const notice = recordsOf(second.folder).find((r) => r.kind === 'event' && r.event === 'notice');
  expect(notice).toMatchObject({
    message: expect.stringMatching(
      /^Weights from .*, 0 resized, 1 newly initialised \(head\.last_layer\.weight_v\), 0 tensors/,
    ),
    details: { resized: [], fresh: ['head.last_layer.weight_v'], unused: [] },
  });
  const draws = vi.spyOn(Random.prototype, 'uniform');
  expect(await train(second, new TrainingControl())).toBe('finished');
  expect(draws.mock.calls.length).toBeLessThan(10_000); // drop path's; the network has a million parameters
}, 120_000);

test('each image that was read has a hash in the run, and none of its name in hidden ones', async () => {
  const run = await createRun('hashed', (config) => {
    config.records = { previews: false, hidePaths: true };
  });
  expect(await train(run, new TrainingControl())).toBe('finished');
  const text = readFileSync(run.imagesFile, 'utf8');
  expect(text.trimEnd().split('\n')).toHaveLength(1 + 4);
  expect(text).toMatch(/"image":"image-[0-9a-f]{16}\.png"/);
  expect(text).not.toContain('0001.png');
  expect(await TrainedImages.read(run.imagesFile, Buffer.alloc(32))).toBe('unknown');
  expect(imageHash(Buffer.alloc(32), 'a')).toHaveLength(32);
}, 120_000);
