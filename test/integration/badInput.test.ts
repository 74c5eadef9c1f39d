import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { SafetensorsFile } from '../../daemon/checkpoint/safetensorsReader.ts';
import { checksumKey, writeSafetensors } from '../../daemon/checkpoint/safetensorsWriter.ts';
import { dicomFixture } from '../../daemon/data/formats/dicom/dicom.fixture.ts';
import { encodeNifti } from '../../daemon/data/formats/niftiWriter.ts';
import { pretrainedRun } from '../../daemon/runs/export/runs.fixtures.ts';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { evaluateRun } from '../../daemon/runs/jobs/evaluate/evaluateRun.ts';
import { smallPlan, untrainedExport, untrainedRun } from '../../daemon/runs/jobs/predict/network.fixtures.ts';
import { openSources } from '../../daemon/runs/jobs/predict/openSources.ts';
import { predictImages } from '../../daemon/runs/jobs/predict/predictImages.ts';
import { checkRunnable } from '../../daemon/runs/start/checkRunnable.ts';
import { tasks } from '../../daemon/runs/start/tasks.ts';
import { trainerOf } from '../../daemon/runs/start/trainRun.ts';
import { TrainingControl } from '../../daemon/train/control.ts';
import type { FinetuneInput } from '../../protocol/config/finetune/index.ts';
import { resolveConfig } from '../../protocol/config/index.ts';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { evaluateTaskSchema } from '../../protocol/jobs/evaluateMessages.ts';
import { predictTaskSchema } from '../../protocol/jobs/predictMessages.ts';
import { put, putLabels, putMask, putNnunet, putPicture, putVolume } from '../labelled/makeSets.ts';
import { makeReadOnly, noSmallDisk, onSmallDisk } from '../smallDisk.ts';
import { recordsOf, runNames, temporaryFolder } from './trainer.ts';

/**
 * What cannot be used ends with a message that names file, place and remedy, and leaves nothing half-written: the way from a configuration to a
 * run that trains, and from images to labels, as the commands go it, in this process.
 */

const box = {
  1: [
    [2, 3, 1],
    [6, 9, 2],
  ],
} as const;

const cornerBox = {
  1: [
    [0, 0, 0],
    [2, 2, 2],
  ],
} as const;

/** Four small volumes with labels in the layout of nnU-Net. */
const volumes = () => putNnunet(temporaryFolder('bad-volumes'), { labels: { background: 0, liver: 1 } });
const image = (set: string, n: number) => join(set, `imagesTr/case_00${n}_0000.nii`);
const label = (set: string, n: number) => join(set, `labelsTr/case_00${n}.nii`);

function segmenting(path: string, change: Partial<FinetuneInput> = {}): FinetuneInput {
  return {
    ...{ task: 'finetune', name: 'bad', problem: 'segmentation', modality: '3D', model: { preset: 'nano' } },
    ...{ plan: { patch: [16, 64, 64] }, engine: { executor: 'eager' } },
    train: { epochs: 1, stepsPerEpoch: 1, batch: 1, validation: { largestComponent: false } },
    ...change,
    data: { path, folds: 2, workers: 0, cache: join(temporaryFolder('bad-cache'), 'cache'), ...change.data },
  };
}

const classifying = (path: string, change: Partial<FinetuneInput> = {}) =>
  segmenting(path, { problem: 'classification', modality: '2D', plan: { patch: [64, 64] }, ...change });

/** A table of eight pictures; the class and the side of each follow from its number. */
async function table(rowOf: (n: number) => string, head = 'path,label,split'): Promise<string> {
  const folder = temporaryFolder('bad-table');
  for (let n = 0; n < 8; n++) await putPicture(join(folder, `${n}.png`));
  return put(join(folder, 'cases.csv'), `${head}\n${Array.from({ length: 8 }, (_, n) => rowOf(n)).join('\n')}\n`);
}

/** Does what `unimiss finetune` does. @returns the folder of the run, once it is finished */
async function finetune(config: FinetuneInput, root = temporaryFolder('bad-runs')): Promise<string> {
  const text = JSON.stringify(config);
  const resolved = resolveConfig(parseConfig(text, 'bad.unimiss.jsonc'), { baseDir: root });
  await checkRunnable(resolved, join(root, 'runs'), tasks);
  const run = await RunFolder.create(join(root, 'runs'), text, resolved);
  expect(await trainerOf(tasks)(run, new TrainingControl())).toBe('finished');
  return run.folder;
}

const filesBelow = (folder: string) =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];

async function errorOf(work: Promise<unknown>): Promise<UnimissError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UnimissError)) throw new Error(`expected an error for people, got ${error}`);
  return error;
}

interface Said {
  readonly code?: string;
  readonly place: string;
  readonly what: RegExp;
  readonly remedy: RegExp;
}

/** The error of a fine-tuning says so, and nothing is left but the records of a run that had begun. */
async function expectRefused(config: FinetuneInput, { code = 'data', place, what, remedy }: Said): Promise<void> {
  const root = temporaryFolder('bad-runs');
  const error = await errorOf(finetune(config, root));
  expect(error).toMatchObject({ code, what: expect.stringMatching(what) });
  expect(error.details).toMatchObject({ place, remedy: expect.stringMatching(remedy) });
  const left = [...filesBelow(root), ...filesBelow(config.data.cache ?? '')];
  expect(left.filter((name) => /partial|trial|safetensors/.test(name))).toEqual([]);
  for (const name of runNames(root))
    expect(recordsOf(join(root, 'runs', name)).at(-1)).toMatchObject({ event: 'error', message: error.message });
}

const refusedBefore = (config: FinetuneInput, said: Said) => {
  const root = temporaryFolder('bad-runs');
  return errorOf(finetune(config, root)).then((error) => {
    expect(error).toMatchObject({ code: said.code ?? 'data', what: expect.stringMatching(said.what) });
    expect(error.details).toMatchObject({ place: said.place, remedy: expect.stringMatching(said.remedy) });
    expect(filesBelow(join(root, 'runs'))).toEqual([]);
  });
};

describe('a fine-tuning refuses', () => {
  test('labels of another spacing, although they have as many voxels', async () => {
    const set = await volumes();
    await putLabels(label(set, 2), box, { spacing: [5, 1, 1] });
    await expectRefused(segmenting(set), {
      place: label(set, 2),
      what: /^lies up to \d+ voxels from its image \(another spacing, origin or direction\)$/,
      remedy: /^Resample it to the grid of its image/,
    });
  });

  test('labels of another size', async () => {
    const set = await volumes();
    await putLabels(label(set, 3), box, { shape: [8, 12, 10] });
    await expectRefused(segmenting(set), {
      place: label(set, 3),
      what: /^has a size of 8×12×10, but its image has 8×12×12$/,
      remedy: /^Resample it/,
    });
  });

  test('all such files at once', async () => {
    const set = await volumes();
    await putLabels(label(set, 1), box, { spacing: [3, 2, 1] });
    await putLabels(label(set, 4), { 7: box[1] });
    const error = await errorOf(finetune(segmenting(set)));
    expect(error.what).toMatch(/^2 of 4 cases cannot be used:/);
    for (const file of [label(set, 1), label(set, 4)]) expect(error.what).toContain(file);
    expect(error.what).toContain('has the label 7, which no class has');
  });

  test('images with NaN', async () => {
    const set = await volumes();
    const data = new Float32Array(8 * 12 * 12).fill(-1000);
    data[5] = Number.NaN;
    writeFileSync(image(set, 1), encodeNifti({ shape: [8, 12, 12], spacing: [3, 1, 1], data }));
    await expectRefused(segmenting(set), {
      place: image(set, 1),
      what: /^has 1 voxels that are NaN or infinite \(the first at /,
      remedy: /\.$/,
    });
  });

  test('a colour picture where grey is expected', async () => {
    const set = temporaryFolder('bad-colour');
    for (let n = 0; n < 4; n++) {
      await putPicture(join(set, `images/${n}.png`), { color: n === 2 });
      await putMask(join(set, `masks/${n}.png`), [8, 20]);
    }
    const grey = { name: 'X-ray', normalization: { scheme: 'divide', by: 255 } } as const;
    const plan = { patch: [64, 64], channels: [grey] } as const;
    await expectRefused(segmenting(set, { modality: '2D', plan: { ...plan, patch: [64, 64], channels: [grey] } }), {
      place: join(set, 'images/2.png'),
      what: /^is a colour image where a grey one is expected$/,
      remedy: /three channels in plan\.channels/,
    });
  });

  test('a class that no training case has', async () => {
    const file = await table(
      (n) => `${n}.png,${n === 7 ? 'rare' : `class ${n % 2}`},${n < 6 ? 'train' : 'validation'}`,
    );
    await expectRefused(classifying(file), {
      place: file,
      what: /^has no training case of the class “rare” in fold 0$/,
      remedy: /^Add cases of it/,
    });
  });
});

test('a series with missing slices, and two in a folder, are named with the way out; the others are trained on', async () => {
  const set = temporaryFolder('bad-series');
  const folder = (name: string) => join(set, 'images', name);
  const slices = (name: string, heights: readonly number[], series = 1) => {
    mkdirSync(folder(name), { recursive: true });
    for (const [i, z] of heights.entries())
      writeFileSync(
        join(folder(name), `${series}-${i}`),
        dicomFixture({ position: [10, 20, z], number: 100 * series + i, series: `1.2.3.${series}` }),
      );
  };
  // Where the slices lie, in RAS, from the highest on.
  const affine = [
    [0, 0, -3, -10],
    [0, -2, 0, -20],
    [-4, 0, 0, 12],
  ] as const;
  for (const name of ['a', 'b', 'c', 'd']) {
    await putLabels(join(set, 'labels', `${name}.nii`), cornerBox, { shape: [4, 3, 4], spacing: [4, 2, 3], affine });
    slices(name, name === 'c' ? [0, 4, 12, 16] : [0, 4, 8, 12]);
  }
  slices('b', [1, 5, 9, 13], 2);
  const run = await finetune(segmenting(set));
  const broken = recordsOf(run).flatMap((one) => (one.kind === 'event' && one.event === 'broken' ? [one.message] : []));
  expect(broken).toEqual([
    expect.stringMatching(new RegExp(`^${folder('b')}: holds two series of equal standing: .*give one of its files`)),
    expect.stringMatching(new RegExp(`^${folder('c')}: misses a slice between slice 2 .*\\.$`)),
  ]);
});

test('a class of a segmentation that no training case has is a warning: the others can be learned', async () => {
  const set = await putNnunet(temporaryFolder('bad-absent'), { labels: { background: 0, liver: 1, spleen: 2 } });
  for (const n of [1, 2, 3]) await putLabels(label(set, n), box);
  const split = join(temporaryFolder('bad-split'), 'split.json');
  const ids = ['case_001', 'case_002', 'case_003'];
  writeFileSync(split, JSON.stringify([{ train: ids, val: ['case_004'] }]));
  const run = await finetune(segmenting(set, { data: { path: set, split } }));
  const warnings = recordsOf(run).flatMap((one) =>
    one.kind === 'event' && one.event === 'warning' ? [one.message] : [],
  );
  expect(warnings).toEqual([
    `${set}: no training case has a voxel of “spleen”, so the network cannot learn it. Add such cases, choose another fold or seed, or remove these classes.`,
  ]);
});

test('a table that lists an image twice or names a missing one: each line is named, the others are trained on', async () => {
  const file = await table(
    (n) => (n === 6 ? '1.png,b' : n === 7 ? 'gone.png,a' : `${n}.png,${'ab'[n % 2]}`),
    'path,label',
  );
  const run = await finetune(classifying(file, { train: { epochs: 1, stepsPerEpoch: 1, batch: 1 } }));
  const told = recordsOf(run).flatMap((one) => (one.kind === 'event' && one.event === 'warning' ? [one.message] : []));
  expect(told).toEqual([
    `${file}:8: lists “1.png” again (first in line 3). Remove one of the two lines.`,
    `${file}:9: names “gone.png”, which does not exist. Add the file, or remove the line.`,
  ]);
});

describe('folds', () => {
  const split = (folds: unknown) => {
    const file = join(temporaryFolder('bad-split'), 'split.json');
    writeFileSync(file, JSON.stringify(folds));
    return file;
  };
  const two = [
    { train: ['case_001', 'case_002'], val: ['case_003', 'case_004'] },
    { train: ['case_003', 'case_004'], val: ['case_001', 'case_002'] },
  ];

  test('beyond the number of folds: of the configuration, of a file, of a data set that is divided already', async () => {
    const set = await volumes();
    await refusedBefore(segmenting(set, { data: { path: set, folds: 3, fold: 3 } }), {
      code: 'config',
      place: expect.stringMatching(/bad\.unimiss\.jsonc/) as unknown as string,
      what: /there is no fold 3: data\.folds is 3, and folds count from 0/,
      remedy: /The last fold is 2/,
    });
    const file = split(two);
    await refusedBefore(segmenting(set, { data: { path: set, fold: 2, split: file } }), {
      place: file,
      what: /^there is no fold 2: the split has 2 folds, which count from 0$/,
      remedy: /^Set data\.fold to at most 1\.$/,
    });
    const divided = await table((n) => `${n}.png,${'ab'[n % 2]},${n < 6 ? 'train' : 'validation'}`);
    await expectRefused(classifying(divided, { data: { path: divided, fold: 1 } }), {
      place: divided,
      what: /^there is no fold 1: the split has fold 0 only$/,
      remedy: /^Set data\.fold to 0\.$/,
    });
  });

  test('without cases: in a file, and where there are more folds than patients', async () => {
    const set = await volumes();
    const file = split([two[0], { train: ['case_001'], val: [] }]);
    await expectRefused(segmenting(set, { data: { path: set, split: file } }), {
      place: file,
      what: /^has no validation case in fold 1 \(4 patients in all\)/,
      remedy: /^Use fewer folds/,
    });
    await expectRefused(segmenting(set, { data: { path: set, folds: 6 } }), {
      place: set,
      what: /^has no validation case in fold \d, \d \(4 patients in all\)/,
      remedy: /^Use fewer folds \(at most one a patient\)/,
    });
  });
});

describe('a checkpoint', () => {
  test('of another architecture starts no fine-tuning', async () => {
    const set = await volumes();
    const pretrained = await pretrainedRun(temporaryFolder('bad-pretrained'));
    const config = segmenting(set, { model: { preset: 'tiny' }, start: { from: pretrained.folder } });
    await refusedBefore(config, {
      code: 'checkpoint',
      place: join(pretrained.checkpointsFolder, 'step-000000005.safetensors'),
      what: /^provides \d+ % of the encoder's parameters, but 50 % are required \(missing: /,
      remedy: /^Use weights of the same model preset/,
    });
  });

  test('of another number of classes gives its encoder and not its head, and says so', async () => {
    const set = await volumes();
    const before = await untrainedRun(temporaryFolder('bad-classes'));
    const run = await finetune(segmenting(set, { start: { from: before.folder } }));
    const notices = recordsOf(run).flatMap((one) => (one.kind === 'event' && one.event === 'notice' ? [one] : []));
    const weights = notices.find(({ message }) => message.startsWith('Weights from'));
    expect(weights?.details).toMatchObject({ encoderShare: 1 });
    const fresh = weights?.details?.fresh;
    if (!Array.isArray(fresh)) throw new Error('expected the names of what is left fresh');
    expect(fresh.length).toBeGreaterThan(0);
    expect(fresh.filter((name) => `${name}`.startsWith('transformer.'))).toEqual([]);
  });

  test.each([
    [
      'another number of classes',
      { classes: smallPlan.classes.slice(0, 2) },
      /is \[3.*\], but a network of the preset "nano" with 2 classes has \[2/,
    ],
    [
      'another architecture',
      { preset: 'tiny' },
      /^does not fit its plan: .* a network of the preset "tiny" with 3 classes has \[/,
    ],
  ] as const)('of %s than the plan beside it predicts nothing', async (_, change, what) => {
    const own = temporaryFolder('bad-plan');
    const network = await untrainedExport(join(own, 'network'));
    const plan = JSON.parse(readFileSync(join(network, 'plan.json'), 'utf8'));
    writeFileSync(join(network, 'plan.json'), JSON.stringify({ ...plan, network: { ...plan.network, ...change } }));
    await putVolume(join(own, 'image.nii'));
    const error = await errorOf(predict(network, join(own, 'image.nii'), join(own, 'out')));
    expect(error).toMatchObject({ code: 'checkpoint', what: expect.stringMatching(what) });
    expect(error.details).toMatchObject({
      place: join(network, 'model.safetensors'),
      remedy: expect.stringMatching(/export the run again/),
    });
    expect(filesBelow(join(own, 'out'))).toEqual([]);
  });

  test('of another number of classes resumes no run, and stays as it is', async () => {
    const set = await volumes();
    const root = temporaryFolder('bad-resume');
    const run = await finetune(segmenting(set, { train: { epochs: 2, stepsPerEpoch: 1, batch: 1 } }), root);
    const file = join(run, 'checkpoints', 'step-000000009.safetensors');
    await withAnotherClass(join(run, 'checkpoints', 'step-000000002.safetensors'), file);
    const bytes = readFileSync(file);
    const error = await errorOf(trainerOf(tasks)(await RunFolder.open(run), new TrainingControl()));
    expect(error).toMatchObject({
      code: 'checkpoint',
      what: expect.stringMatching(/^does not fit this run: network\.\S+ has \d+ values, but the model needs \d+ \(\[2/),
    });
    expect(error.details).toMatchObject({
      place: file,
      remedy: expect.stringMatching(/^Use a checkpoint of this run/),
    });
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(recordsOf(run).at(-1)).toMatchObject({ event: 'error', message: error.message });
  });
});

/** Copies a checkpoint of two classes as one of three. */
async function withAnotherClass(from: string, to: string): Promise<void> {
  const file = await SafetensorsFile.open(from);
  const tensors = await Promise.all(
    [...file.tensors.values()].map(async ({ name, shape }) => {
      const values = await file.readFloat32(name);
      const own = shape[0] === 2 ? [3, ...shape.slice(1)] : [...shape];
      const length = own.reduce((all, side) => all * side, 1);
      return {
        name,
        shape: own,
        dtype: 'F32' as const,
        read: () => Float32Array.from({ length }, (_, i) => values[i] ?? 0),
      };
    }),
  );
  const { [checksumKey]: _, ...metadata } = file.metadata;
  await file.close();
  await writeSafetensors(to, tensors, metadata);
}

function predict(run: string, input: string, out: string) {
  const task = predictTaskSchema.parse({ run, input, out });
  return openSources([run]).then((sources) => predictImages(sources, task, () => undefined));
}

describe('a prediction names, and writes nothing for,', () => {
  let network: string;
  beforeAll(async () => {
    network = await untrainedExport(join(temporaryFolder('bad-network'), 'network'));
  });

  const series = (heights: readonly number[], uid = '1.2.3.1') =>
    heights.map((z, i) => dicomFixture({ position: [10, 20, z], number: Number(uid.at(-1)) * 100 + i, series: uid }));

  test.each([
    ['a series with missing slices', series([0, 4, 12, 16]), /misses a slice between slice 2/],
    [
      'two series in a folder',
      [...series([0, 4, 8]), ...series([1, 5], '1.2.3.2')],
      /holds two series of equal standing: .*give one of its files/s,
    ],
  ])('%s', async (_, files, reason) => {
    const own = temporaryFolder('bad-input');
    const folder = join(own, 'images', 'ct');
    mkdirSync(folder, { recursive: true });
    for (const [i, bytes] of files.entries()) writeFileSync(join(folder, `IM${i}`), bytes);
    await putVolume(join(own, 'images', 'good.nii'));
    const result = await predict(network, join(own, 'images'), join(own, 'out'));
    expect(result.failed).toEqual([{ image: folder, reason: expect.stringMatching(reason), unlike: false }]);
    expect(result.failed[0]?.reason).not.toContain(`${folder}: `);
    expect(result.predicted).toMatchObject([{ image: join(own, 'images', 'good.nii') }]);
    expect(filesBelow(join(own, 'out')).sort()).toEqual(['good.nii.gz', 'predicted.jsonl']);
  });

  test('a colour picture where grey is expected, and an image with NaN', async () => {
    const own = temporaryFolder('bad-pictures');
    const channels = [{ name: 'X-ray', normalization: { scheme: 'range' as const } }];
    const of2D = { problem: 'classification', modality: '2D', patch: [64, 64] } as const;
    const grey = await untrainedExport(join(own, 'grey'), { ...of2D, patch: [64, 64], channels });
    await putPicture(join(own, 'colour.png'), { color: true });
    const colour = await predict(grey, join(own, 'colour.png'), join(own, 'out'));
    expect(colour.failed[0]?.reason).toMatch(/^is a colour image where a grey one is expected\. [A-Z].*\.$/);
    const data = new Float32Array(8 * 12 * 12);
    data[7] = Number.POSITIVE_INFINITY;
    await put(join(own, 'nan.nii'), encodeNifti({ shape: [8, 12, 12], spacing: [3, 1, 1], data }));
    const nan = await predict(network, join(own, 'nan.nii'), join(own, 'out'));
    expect(nan.failed[0]?.reason).toMatch(/^has 1 voxels that are NaN or infinite/);
    expect(filesBelow(join(own, 'out')).filter((name) => !/^(predicted\.jsonl|predictions\.csv)$/.test(name))).toEqual(
      [],
    );
  });
});

describe.skipIf(noSmallDisk)('a read-only disk', () => {
  test('holds neither runs, nor prepared images, nor an evaluation; each message names it, and nothing is lost', async () => {
    const set = await volumes();
    const run = await finetune(segmenting(set));
    await onSmallDisk(temporaryFolder('bad-disk'), '1m', async (disk) => {
      makeReadOnly(disk);
      const runs = await errorOf(finetune(segmenting(set), disk));
      expect(runs).toMatchObject({ code: 'disk', what: 'the file system is read-only' });
      expect(runs.message).toMatch(/UNIMISS_RUNS/);
      const cache = join(disk, 'cache');
      await expectRefused(segmenting(set, { data: { path: set, cache } }), {
        code: 'disk',
        place: expect.stringContaining(cache) as unknown as string,
        what: /^the file system is read-only$/,
        remedy: /^Use a writable folder \(data\.cache\)\.$/,
      });
      const out = join(disk, 'evaluation');
      const task = evaluateTaskSchema.parse({ run, out });
      const evaluation = await errorOf(evaluateRun(await RunFolder.open(run), task, () => undefined));
      expect(evaluation).toMatchObject({ code: 'disk', what: 'the file system is read-only' });
      expect(evaluation.details.place).toContain(out);
      expect(evaluation.details.remedy).toBe('Use a writable folder (--out).');
    });
    // What was measured is kept: the same evaluation elsewhere goes on from there.
    const lines = readFileSync(join(run, 'measured.jsonl'), 'utf8');
    const task = evaluateTaskSchema.parse({ run });
    const { folder } = await evaluateRun(await RunFolder.open(run), task, () => undefined);
    expect(readFileSync(join(run, 'measured.jsonl'), 'utf8')).toBe(lines);
    expect(dirname(folder)).toBe(join(run, 'evaluations'));
  });
});
