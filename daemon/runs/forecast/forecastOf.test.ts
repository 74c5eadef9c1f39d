import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { applyEdits, modify } from 'jsonc-parser';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type ResolvedConfig, resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import type { Concern, Forecast } from '../../../protocol/runs/forecast.ts';
import { forecastSchema } from '../../../protocol/runs/forecast.ts';
import { putNnunet } from '../../../test/labelled/makeSets.ts';
import { niftiFixture } from '../../data/formats/nifti.fixture.ts';
import { fakeElf } from '../../engine/install/fixtures.ts';
import { pretrainCost } from '../../train/pretrain/cost.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { tasks } from '../start/tasks.ts';
import { forecastOf } from './forecastOf.ts';

const base = mkdtempSync(join(tmpdir(), 'unimiss-forecast-'));
const images = join(base, 'images');
const picture = encode({ width: 4, height: 4, data: new Uint8Array(16), depth: 8, channels: 1 });
beforeAll(() => {
  const library = join(base, 'tensorflow');
  for (const folder of [images, library]) mkdirSync(folder);
  for (let i = 0; i < 7; i++) writeFileSync(join(images, `${i}.png`), picture);
  for (let i = 0; i < 3; i++)
    writeFileSync(
      join(images, `${i}.nii`),
      niftiFixture({ size: [4, 4, 4], values: Array.from({ length: 64 }, () => 0) }),
    );
  writeFileSync(join(images, 'notes.nii.gz'), 'not yet converted\n');
  writeFileSync(join(images, 'list.txt'), 'a list\n');
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    writeFileSync(join(library, name), fakeElf(process.arch === 'arm64' ? 183 : 62));
  vi.stubEnv('UNIMISS_TENSORFLOW', library);
});
afterAll(() => rmSync(base, { recursive: true }));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(base, 'runs-'));
  vi.stubEnv('UNIMISS_CACHE', join(root, 'cache'));
  vi.stubEnv('UNIMISS_TENSORFLOW', join(base, 'tensorflow'));
});
afterEach(() => vi.unstubAllEnvs());

function configOf(given: object): ResolvedConfig {
  return resolveConfig(parseConfig(JSON.stringify(given), 'test'), { baseDir: base });
}
/** A pre-training on the images, except for `change`. */
function pretraining({ train = {}, ...change }: { train?: object } & Record<string, unknown> = {}): ResolvedConfig {
  const usual = { epochs: 8, interval: 2, batch: { '2D': 2, '3D': 2 }, momentum: [0.5, 1], ...train };
  return configOf({ data: { paths: images, maxBroken: 0.2 }, model: { preset: 'nano' }, train: usual, ...change });
}
const forecast = async (config: ResolvedConfig): Promise<Forecast> =>
  forecastSchema.parse(await forecastOf(config, { root, tasks }));
const concerns = ({ concerns: all }: Forecast) => all.map(({ severity, field }) => `${severity} ${field}`);

it('says what a pre-training would do: images, steps of each phase, and a rough time', async () => {
  const said = await forecast(pretraining());
  expect(said).toMatchObject({
    images: [
      { what: '2D image', count: 7 },
      { what: 'volume', count: 3 },
    ],
    unreadable: { count: 1, first: [{ name: 'notes.nii.gz', reason: expect.stringContaining('text') }] },
    skipped: 1,
    epochs: 8,
    steps: 4 * 3 + 4 * 1,
    phases: [
      { group: '2D', images: 7, batch: 2, epochs: 4, steps: 12, secondsPerStep: { basis: 'estimated' } },
      { group: '3D', images: 3, batch: 2, epochs: 4, steps: 4 },
    ],
    device: cpus()[0]?.model,
    time: { basis: 'estimated' },
    memory: { basis: 'estimated' },
  });
  const [of2D, of3D] = said.phases.map(({ steps, secondsPerStep }) => steps * (secondsPerStep?.seconds ?? 0));
  expect(said.time?.seconds).toBeCloseTo((of2D ?? 0) + (of3D ?? 0));
  expect(concerns(said)).toEqual(['warning data.maxBroken']);
});

it('names what looks wrong: small sets, rates that are slips, a teacher that stands still, volumes that are never reached', async () => {
  const said = await forecast(
    pretraining({ train: { epochs: 2, batch: { '2D': 8, '3D': 2 }, lr: 0.05, momentum: [0.996, 1] } }),
  );
  expect(concerns(said)).toEqual([
    'warning data.maxBroken',
    'warning train.batch.2D',
    'warning train.interval',
    'warning train.lr',
    'warning train.momentum',
  ]);
  expect(said.concerns.map(({ message }) => message)).toEqual([
    '1 image of 11 cannot be read',
    '8 images per batch, but only 7 2D images found',
    'the run never trains on its 3 volumes: its 2 epochs end before the change after 2 epochs',
    "a learning rate of 0.05 is 63 times the paper's 0.0008",
    '0.996 is slow for 2 steps: the teacher averages over about 250 steps',
  ]);
});

/** The configuration with the values of a concern's fix. */
function fixed(given: object, { fix = [] }: Concern): object {
  const text = fix.reduce(
    (now, { field, value }) => applyEdits(now, modify(now, field.split('.'), value, {})),
    JSON.stringify(given),
  );
  return JSON.parse(text);
}

it('knows values that settle what looks wrong', async () => {
  const given = {
    data: { paths: images, maxBroken: 0 },
    model: { preset: 'nano' },
    train: {
      epochs: 2,
      interval: 2,
      batch: { '2D': 8, '3D': 2 },
      accumulate: 2,
      lr: { '2D': 0.05, '3D': 1e-6 },
      finalLr: 0,
    },
  };
  const { concerns: all } = await forecast(configOf(given));
  const settled: string[] = [];
  for (const concern of all.filter(({ fix }) => fix)) {
    const after = await forecast(configOf(fixed(given, concern)));
    expect(after.concerns.map(({ message }) => message)).not.toContain(concern.message);
    settled.push(concern.field);
  }
  expect(settled).toEqual(['data.maxBroken', 'train.batch.2D', 'train.interval', 'train.lr.2D', 'train.lr.3D']);
  const long = { ...given, train: { ...given.train, epochs: 40 } };
  const slow = (await forecast(configOf(long))).concerns.find(({ field }) => field === 'train.momentum');
  expect(slow?.fix).toEqual([{ field: 'train.momentum', value: [0.95, 1] }]);
});

it('halves a batch that does not fit into memory until it does, and accumulates instead', () => {
  const config = requirePretrain(pretraining({ train: { batch: { '2D': 24, '3D': 16 } } }));
  const cost = pretrainCost(config, ['2D', '3D']);
  const fix = cost.smaller.fix(0.6 * cost.memory);
  expect(fix).toEqual([
    { field: 'train.batch.2D', value: 6 },
    { field: 'train.batch.3D', value: 4 },
    { field: 'train.accumulate', value: 4 },
  ]);
  const after = requirePretrain(pretraining({ train: { batch: { '2D': 6, '3D': 4 }, accumulate: 4 } }));
  expect(pretrainCost(after, ['2D', '3D']).memory).toBeLessThanOrEqual(0.6 * cost.memory);
  expect(cost.smaller.fix(1)).toBeUndefined();
});

it('what would refuse the run is an error with its code, and the rest is said all the same', async () => {
  vi.stubEnv('UNIMISS_TENSORFLOW', join(base, 'nowhere'));
  const said = await forecast(pretraining({ data: { paths: images, maxBroken: 0 } }));
  expect(said.concerns.filter(({ severity }) => severity === 'error')).toMatchObject([
    { code: 'data', field: 'data.maxBroken', message: '1 image of 11 cannot be read; allowed: 0' },
    { code: 'engine', field: 'engine.device', message: expect.stringContaining('nowhere') },
  ]);
  expect(said.steps).toBe(16);
});

it('a folder that does not exist is an error', async () => {
  const said = await forecast(pretraining({ data: { paths: [join(base, 'sampels')] } }));
  expect(said).toMatchObject({ images: [], steps: 0, time: null, phases: [] });
  expect(said.concerns).toMatchObject([
    { severity: 'error', code: 'data', field: 'data.paths', message: `${join(base, 'sampels')}: does not exist` },
  ]);
});

/** An earlier run of a configuration on a device, with the durations of its steps in ms. */
async function earlierRun(config: ResolvedConfig, device: string, ms: Record<'2D' | '3D', number>): Promise<string> {
  const run = await RunFolder.create(root, '{}', config);
  await run.writeVersions({
    ...{ unimiss: '0', node: '0', tensorflow: '0', platform: 'test', device },
    ...{ executors: {}, threads: { interOp: 2, intraOp: 2 } },
  });
  const time = new Date().toISOString();
  const steps = [...Array.from({ length: 5 }, () => '2D' as const), ...Array.from({ length: 5 }, () => '3D' as const)];
  const lines = steps.map((group, step) => {
    const stepMs = step % 5 === 0 ? 60_000 : ms[group]; // the first prepares
    return { kind: 'step', step, epoch: 0, group, loss: 1, values: {}, stepMs, waitMs: 5, rssMiB: 700 + step, time };
  });
  writeFileSync(run.recordsFile, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return run.id;
}

it('takes the time and memory that an earlier run measured, if its steps and device were the same', async () => {
  const device = cpus()[0]?.model ?? 'unknown processor';
  await earlierRun(pretraining({ train: { batch: { '2D': 4, '3D': 2 } } }), device, { '2D': 1, '3D': 1 });
  await earlierRun(pretraining(), 'another processor', { '2D': 2, '3D': 2 });
  expect((await forecast(pretraining())).time?.basis).toBe('estimated');

  // Epochs and rates do not change the duration of a step.
  const run = await earlierRun(pretraining({ train: { epochs: 3, lr: 1e-3 } }), device, { '2D': 95, '3D': 395 });
  const said = await forecast(pretraining());
  expect(said.time).toEqual({ seconds: expect.closeTo(12 * 0.1 + 4 * 0.4), basis: 'measured', from: `run ${run}` });
  expect(said.memory).toMatchObject({ bytes: 709 * 2 ** 20, basis: 'measured' });
});

it('takes what the choice of executors measured on this machine', async () => {
  const of3D = { accumulate: 1, phase: '3D', batch: 2, model: pretraining().model };
  const device = cpus()[0]?.model ?? 'unknown processor';
  const key = JSON.stringify({ ...of3D, threads: { interOp: 2, intraOp: 3 }, device });
  const machine = { cpu: device.trim(), cores: cpus().length, tensorflow: '2' };
  mkdirSync(join(root, 'cache'));
  const choice = { ...machine, key, executor: 'graph', milliseconds: { graph: 250, xla: 100 } };
  writeFileSync(join(root, 'cache/executors.json'), JSON.stringify({ choices: [{ ...choice, key: 'old' }, choice] }));
  const said = (executor: string) => forecast(pretraining({ engine: { executor, intraOpThreads: 3 } }));
  expect((await said('graph')).phases[1]?.secondsPerStep).toEqual({ seconds: 0.25, basis: 'measured' });
  expect((await said('auto')).phases[1]?.secondsPerStep).toEqual({ seconds: 0.1, basis: 'measured' });
  expect((await said('eager')).phases[1]?.secondsPerStep).toMatchObject({ basis: 'estimated' });
  expect((await said('graph')).phases[0]?.secondsPerStep).toMatchObject({ basis: 'estimated' });
});

it('says what a fine-tuning would do, and how its cases are divided', async () => {
  const set = join(root, 'set');
  await putNnunet(set, { cases: 10, tests: 0, channels: ['CT'], labels: { background: 0, liver: 1 } });
  const given = {
    ...{ task: 'finetune', problem: 'segmentation', modality: '3D', data: { path: set, folds: 5, fold: 0 } },
    ...{ model: { preset: 'nano' }, train: { epochs: 3, stepsPerEpoch: 4, batch: 16, lr: 1 } },
  };
  const said = await forecast(configOf(given));
  expect(said).toMatchObject({
    images: [
      { what: 'training case', count: 8 },
      { what: 'validation case', count: 2 },
    ],
    epochs: 3,
    steps: 12,
    phases: [{ group: '3D', images: 8, batch: 16 }],
  });
  expect(concerns(said)).toEqual(expect.arrayContaining(['warning train.batch', 'warning train.lr']));
  const train = { ...given.train, classWeights: [1, 2, 3] };
  const other = { ...given, labels: 'overlapping', problem: 'classification', modality: '2D', train };
  const { concerns: wrong } = await forecast(configOf(other));
  expect(wrong.slice(0, 3)).toMatchObject([
    { severity: 'error', field: 'problem', fix: [{ field: 'problem', value: 'segmentation' }] },
    { severity: 'error', field: 'modality', message: '"2D", but the data set is for 3D' },
    { severity: 'error', field: 'labels', message: '"overlapping", but the data set is for exclusive labels' },
  ]);
  const right = wrong.slice(0, 3).reduce(fixed, other);
  const weights = (await forecast(configOf(right))).concerns.find(({ field }) => field === 'train.classWeights');
  expect(weights).toMatchObject({
    severity: 'error',
    message: 'has 3 weights, but there are 2 classes',
    remedy: 'Their order is: background, liver.',
  });
  const last = weights ? fixed(right, weights) : right;
  const none = (await forecast(configOf(last))).concerns.filter(({ severity }) => severity === 'error');
  expect(none).toEqual([]);
});

it('can be cancelled while it looks at the images', async () => {
  const cancel = new AbortController();
  let seen = 0;
  const given = { root, tasks, signal: cancel.signal };
  const onProgress = (done: number) => {
    seen = done;
    cancel.abort();
  };
  await expect(forecastOf(pretraining(), { ...given, onProgress })).rejects.toMatchObject({ code: 'interrupted' });
  expect(seen).toBeLessThan(11);
});
