import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireFinetune } from '../../../protocol/config/finetune/index.ts';
import { openLabelled } from '../../data/datasets/labelled/openLabelled.ts';
import { readSplit } from '../../data/datasets/labelled/split/splitFile.ts';
import type { ClassificationDataset, LabelledDataset } from '../../data/datasets/labelled/types.ts';
import { openDataset } from '../../data/datasets/unlabelled.ts';
import { writePhantoms } from '../../data/phantoms/write.ts';
import { Random } from '../../data/random.ts';
import { encodeNpy } from '../../evaluate/features/npy.ts';
import { evaluateClassification } from '../../evaluate/metrics/evaluateClassification.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { listRuns } from '../../runs/records/list.ts';
import { RunJournal } from '../../runs/records/runJournal.ts';
import { planOf } from '../../train/pretrain/plan.ts';
import { Reporter } from '../terminal/reporter.ts';
import { compare } from './compare.ts';
import { calibrations } from './compute.ts';
import { readExperiment } from './experimentFile.ts';
import { type CompareSteps, compareHere } from './steps.ts';

const dir = mkdtempSync(join(tmpdir(), 'compare-'));
afterAll(() => rmSync(dir, { recursive: true }));
const images = 40;
beforeAll(async () => {
  const size = { slices: 8, plane: 32, image: 32 };
  await writePhantoms(join(dir, 'test'), { seed: 2, volumes: images, images: 0, size });
  await writePhantoms(join(dir, 'pool'), { seed: 3, volumes: 20, images: 0, size });
  await writePhantoms(join(dir, 'train'), { seed: 4, volumes: 4, images: 0, size });
  const pool = readFileSync(join(dir, 'pool', 'manifest.csv'), 'utf8').split('\n');
  const clear = pool.slice(1).filter((row) => row.includes(',clear,'));
  writeFileSync(
    join(dir, 'clear.csv'),
    [pool[0], ...clear.map((row) => row.replace(/(volumes|segmentations)/g, 'pool/$1'))].join('\n'),
  );
});

const given = {
  name: 'made-up',
  base: { data: { manifest: 'train/manifest.csv' }, model: { preset: 'nano' }, train: { epochs: 2 } },
  arms: { good: {}, weak: { data: { modalities: '3D' }, train: { koleo: 0.1 } } },
  seeds: [1, 2, 3],
  test: { manifest: 'test/manifest.csv' },
  labels: [1, 4],
  draws: 10,
  primary: { modality: '3D', labels: 4, better: 'good', than: 'weak' },
  secondary: [{ modality: '3D', labels: 4, better: 'weak', than: 'random' }],
  resamples: 300,
};

const recipe = { all: { train: { epochs: 1 } }, '3D': { plan: { patch: [16, 64, 64] } } };
const tuned = {
  tasks: ['probe', 'classification'],
  fineTuning: { manifest: 'pool/manifest.csv', recipe },
};

function experiment(name: string, change: object = {}): string {
  const file = join(dir, `${name}.experiment.jsonc`);
  writeFileSync(file, `// A comment.\n${JSON.stringify({ ...given, ...change })}`);
  return file;
}

/** Trains nothing: features of an arm know the classes more or less. Dies before the step `dies`. */
function madeUp(reporter: Reporter, calls: string[], dies = Number.POSITIVE_INFINITY): CompareSteps {
  const called = (call: string) => {
    if (calls.length >= dies) throw new Error('killed');
    calls.push(call);
  };
  const { create } = compareHere(reporter);
  return {
    async create(config, root) {
      called(`create ${config.name}`);
      return create(config, root);
    },
    async train(folder) {
      const run = await RunFolder.open(folder);
      called(`train ${run.about.name}`);
      const journal = await RunJournal.open(run, []);
      if (run.about.name.includes('-time'))
        for (const [step, stepMs] of [900, 900, 900, 30, 30].entries()) {
          // Steps of the weak arm take twice as long; the second round is disturbed.
          const slower = (run.about.name.includes('-weak-') ? 2 : 1) * (run.about.name.endsWith('2') ? 3 : 1);
          const place = { kind: 'step', step, epoch: 0, group: '3D', loss: 1, values: {} } as const;
          journal.record({ ...place, stepMs: stepMs * slower, waitMs: 0, rssMiB: 1, time: new Date().toISOString() });
        }
      journal.event('finish', 'Finished.', { step: 1 });
      journal.close();
      return 'finished';
    },
    async embed(folder, { manifest, weights, out }) {
      const { name } = (await RunFolder.open(folder)).about;
      called(`embed ${name} ${weights}`);
      const strength = weights === 'initial' ? 0 : name.includes('-good-') ? 3 : 1;
      const rows = readFileSync(manifest, 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(','));
      const names = [...new Set(rows.map(([, label]) => label))];
      const random = new Random(name, weights);
      const values = rows.flatMap(([, label]) =>
        names.map((name) => random.normal() + (name === label ? strength : 0)),
      );
      mkdirSync(out, { recursive: true });
      writeFileSync(join(out, 'features-3D.npy'), encodeNpy(Float32Array.from(values), rows.length, names.length));
      writeFileSync(
        join(out, 'features-3D.csv'),
        ['path,label', ...rows.map(([path, label]) => `${path},${label}`)].join('\n'),
      );
    },
    async evaluate(folder, _, out) {
      const { name } = (await RunFolder.open(folder)).about;
      called(`evaluate ${name}`);
      const { data } = requireFinetune((await RunFolder.open(folder)).config);
      const { cases, labels } = await openLabelled(data.path, { layout: 'table' }).then(classified);
      const [fold] = (await readSplit(data.split ?? '')).folds;
      const random = new Random(name);
      const strength = name.includes('-good-') ? 0.9 : 0.3;
      const tested = (await readSplit(data.split ?? '')).test.map((id) => cases.find((one) => one.id === id)!);
      expect(fold?.train).toHaveLength(labels.length * Number(/-n(\d+)-/.exec(name)?.[1]));
      const inputs = tested.map(({ id, patient, classes }) => {
        const right = random.uniform() < strength ? classes![0]! : random.int(labels.length);
        return { id, patient, reference: classes!, probabilities: labels.map((_, c) => (c === right ? 0.9 : 0.03)) };
      });
      const classes = labels.map((one) => one.name);
      mkdirSync(out, { recursive: true });
      const options = { name, split: 'test', exclusive: true, classes, exclusions: [], versions: {} };
      writeFileSync(join(out, 'evaluation.json'), JSON.stringify(evaluateClassification(inputs, options)));
    },
  };
}

function classified(set: LabelledDataset): ClassificationDataset {
  if (set.problem !== 'classification') throw new Error('is no classification');
  return set;
}

/** A reporter that keeps what it prints. */
function quiet(): { reporter: Reporter; lines: string[] } {
  const lines: string[] = [];
  const stream = (keep: (text: string) => void) =>
    new Writable({
      write(chunk, _, done) {
        keep(String(chunk));
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  return { reporter: new Reporter({ out: stream((text) => lines.push(text)), err: stream(() => undefined) }), lines };
}

describe('an experiment', () => {
  test('ends with tables, figures and answers; killed anywhere, it continues and repeats nothing', async () => {
    const file = experiment('whole');
    const [out, runs] = [join(dir, 'whole-out'), join(dir, 'whole-runs')];
    const { reporter, lines } = quiet();
    const calls: string[] = [];
    for (let dies = 1; ; dies++) {
      try {
        await compare(file, { out, runs }, madeUp(reporter, calls, dies), reporter);
        break;
      } catch (error) {
        expect((error as Error).message).toBe('killed');
      }
    }
    expect(calls).toHaveLength(6 * 3 + 3); // create, train and embed each run; the random weights of each seed
    expect(new Set(calls).size).toBe(calls.length);
    const { answers, scores } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
    expect(scores).toHaveLength(2 * 5); // two numbers of labels; two arms, three baselines
    expect(answers[0]).toMatchObject({ primary: true, question: { better: 'good', than: 'weak' } });
    expect(answers[0].low).toBeGreaterThan(0);
    expect(answers[0].corrected).toBeLessThan(0.05);
    expect(lines[0]).toMatch(
      /^Primary question \(3D, 4 labels a class, linear probe\): good is better than weak \(difference \+0\.\d+/,
    );
    expect(lines.join('')).toMatch(/3 seeds are few/);
    const report = readFileSync(join(out, 'report.md'), 'utf8');
    for (const arm of ['good', 'weak', 'random', 'histogram', 'moments']) expect(report).toContain(`| ${arm} | 0.`);
    expect(existsSync(join(out, 'figure-probe-3D.svg'))).toBe(true);
    expect(report).toMatch(/Measured from 20\d\d-.* UTC to 20\d\d-.* UTC, on .+\./);
  }, 120_000);

  test('fine-tunes each arm and from scratch with the same labels of a seed, and continues where it was killed', async () => {
    const primary = { ...given.primary, task: 'classification', than: 'scratch' };
    const file = experiment('tuned', { ...tuned, primary, seeds: [1, 2], secondary: [] });
    const [out, runs] = [join(dir, 'tuned-out'), join(dir, 'tuned-runs')];
    const { reporter, lines } = quiet();
    const calls: string[] = [];
    for (let dies = 7; ; dies += 8) {
      try {
        await compare(file, { out, runs }, madeUp(reporter, calls, dies), reporter);
        break;
      } catch (error) {
        expect((error as Error).message).toBe('killed');
      }
    }
    const tunings = 2 * 2 * 3; // seeds, numbers of labels; two arms and scratch
    expect(calls).toHaveLength(4 * 3 + 2 + tunings * 3);
    expect(new Set(calls).size).toBe(calls.length);
    const { answers, scores } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
    expect(scores).toHaveLength(2 * 5 + 2 * 3);
    expect(answers[0].difference).toBeGreaterThan(0.2);
    expect(lines[0]).toMatch(
      /^Primary question \(3D, 4 labels a class, fine-tuned classification\): good is better than scratch/,
    );
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    expect(page).toContain('id="figure-classification-3D"');
  }, 120_000);

  test('is continued on another machine from its scores: what they have is not trained again', async () => {
    const primary = { ...given.primary, task: 'classification', than: 'scratch' };
    const change = { ...tuned, primary, seeds: [1, 2], labels: [4], secondary: [] };
    const [here, there] = ['here', 'there'].map((name) => join(dir, name)) as [string, string];
    const started = { file: experiment('moved', change), out: join(here, 'out'), runs: join(here, 'runs') };
    const { reporter } = quiet();
    const perSeed = 2 * 3 + 1 + 3 * 3; // the arms, the random weights, the fine-tunings
    const calls: string[] = [];
    await expect(compare(started.file, started, madeUp(reporter, calls, perSeed + 4), reporter)).rejects.toThrow(
      'killed',
    );
    mkdirSync(join(there, 'out'), { recursive: true });
    for (const images of ['test', 'pool']) symlinkSync(join(dir, images), join(there, images));
    const moved = { file: join(there, 'moved.experiment.jsonc'), out: join(there, 'out'), runs: join(there, 'runs') };
    copyFileSync(started.file, moved.file);
    for (const name of ['experiment.json', 'scores.jsonl'])
      copyFileSync(join(started.out, name), join(moved.out, name));
    const others: string[] = [];
    await compare(moved.file, moved, madeUp(reporter, others), reporter);
    expect(others.every((call) => /-s2\b/.test(call))).toBe(true);
    // The random weights of seed 2 and the first arm were measured before; its run is needed again, for its fine-tunings.
    expect(others).toHaveLength(perSeed - 2);
    await compare(started.file, started, madeUp(reporter, calls), reporter);
    const results = (out: string) => JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
    expect(results(moved.out).scores).toEqual(results(started.out).scores);
    expect(results(moved.out).answers).toEqual(results(started.out).answers);
  }, 120_000);

  test.each([
    ['is damaged', (line: string) => line.slice(0, -9), /scores\.jsonl:2.*no score of an experiment/s],
    [
      'is of another experiment',
      (line: string) => JSON.stringify({ ...JSON.parse(line), experiment: 'other' }),
      /scores\.jsonl:2.*another experiment/s,
    ],
    [
      'is of other images',
      (line: string) => JSON.stringify({ ...JSON.parse(line), images: 'other' }),
      /scores of other images/,
    ],
  ])('refuses a score that %s', async (name, change, message) => {
    const file = experiment('scored', { seeds: [1], draws: 1 });
    const [out, runs] = [join(dir, name), join(dir, `${name}-runs`)];
    const { reporter } = quiet();
    await compare(file, { out, runs }, madeUp(reporter, []), reporter);
    const scores = join(out, 'scores.jsonl');
    const [first = '', second = '', ...others] = readFileSync(scores, 'utf8').split('\n');
    writeFileSync(scores, [first, change(second), ...others].join('\n'));
    await expect(compare(file, { out, runs }, madeUp(reporter, []), reporter)).rejects.toThrow(message);
  });

  test('refuses an evaluation on images that a training has read', async () => {
    const primary = { ...given.primary, task: 'classification', than: 'scratch', labels: 1 };
    const change = { ...tuned, tasks: ['classification'], primary, seeds: [1], labels: [1], secondary: [] };
    const { reporter } = quiet();
    const steps = madeUp(reporter, []);
    const leaking: CompareSteps = {
      ...steps,
      async evaluate(folder, checkpoint, out) {
        await steps.evaluate(folder, checkpoint, out);
        const file = join(out, 'evaluation.json');
        const leakage = { state: 'found', checked: 40, cases: ['images/test-00003.nii.gz'] };
        writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), leakage }));
      },
    };
    const asked = compare(experiment('leaking', change), { runs: join(dir, 'leaking') }, leaking, reporter);
    await expect(asked).rejects.toThrow(/training has read test images: images\/test-00003/);
  });

  test('fine-tunes only what its questions compare, where asked to', async () => {
    const primary = { ...given.primary, task: 'classification', than: 'scratch' };
    const fineTuning = { ...tuned.fineTuning, only: 'questions' };
    const file = experiment('asked', { ...tuned, fineTuning, primary, seeds: [1] });
    const [out, runs] = [join(dir, 'asked-out'), join(dir, 'asked-runs')];
    const { reporter } = quiet();
    const calls: string[] = [];
    await compare(file, { out, runs }, madeUp(reporter, calls), reporter);
    expect(calls.filter((call) => call.startsWith('evaluate'))).toEqual([
      'evaluate made-up-good-c3D-n4-s1',
      'evaluate made-up-scratch-c3D-n4-s1',
    ]);
    const report = readFileSync(join(out, 'report.md'), 'utf8');
    expect(report).toMatch(/\| good \| – \| 0\.\d+ \[/);
    expect(report).not.toContain('NaN');
  }, 120_000);

  test('matches arms by the time of their steps, decided once', async () => {
    const base = { ...given.base, data: { manifest: 'pool/manifest.csv' }, train: { epochs: 12 } };
    const file = experiment('matched', { base, match: 'compute', seeds: [1], secondary: [], draws: 2 });
    const [out, runs] = [join(dir, 'matched-out'), join(dir, 'matched-runs')];
    const { reporter } = quiet();
    const calls: string[] = [];
    await expect(compare(file, { out, runs }, madeUp(reporter, calls, 9), reporter)).rejects.toThrow('killed');
    expect(calls.slice(0, 4)).toEqual(
      ['good', 'weak'].flatMap((arm) => [`create made-up-${arm}-time1`, `train made-up-${arm}-time1`]),
    );
    const decided = readFileSync(join(out, 'compute.json'), 'utf8');
    await compare(file, { out, runs }, madeUp(reporter, calls), reporter);
    expect(readFileSync(join(out, 'compute.json'), 'utf8')).toBe(decided);
    expect(new Set(calls).size).toBe(calls.length);
    const { compute } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
    expect(compute.good).toMatchObject({ epochs: 12, secondsPerStep: { '3D': 0.03 }, matches: null });
    expect(compute.weak).toMatchObject({ epochs: 6, secondsPerStep: { '3D': 0.06 }, matches: ['good'] });
    const trained = (await listRuns(runs)).runs.find(({ name }) => name === 'made-up-weak-s1');
    expect(trained?.epochs).toBe(6);
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain('| weak | – | 0.060 | 6 | ');
  }, 120_000);

  test('times fifteen steps of a phase, however few images an epoch has', async () => {
    const base = { ...given.base, train: { epochs: 2, batch: { '2D': 2, '3D': 2 } } };
    const { runs, experiment: opened } = await readExperiment(experiment('timed', { base, match: 'compute' }));
    const [first] = await calibrations({ runs, experiment: opened });
    const dataset = await openDataset({ manifest: join(dir, 'train/manifest.csv'), maxBroken: 0 });
    const { epochs } = planOf(first!.config, dataset);
    expect(epochs.reduce((sum, one) => sum + (one.group === '3D' ? one.steps : 0), 0)).toBeGreaterThanOrEqual(15);
  });

  test('draws its phantoms', async () => {
    const folder = join(dir, 'drawn');
    mkdirSync(folder);
    const phantoms = {
      train: { seed: 7, volumes: 1, images: 1, slices: 8, plane: 32, pixels: 32, only: { '3D': ['nodules'] } },
      test: { seed: 8, volumes: 20, images: 0, slices: 8, plane: 32 },
    };
    const file = join(folder, 'drawn.experiment.jsonc');
    writeFileSync(file, JSON.stringify({ ...given, phantoms }));
    const { reporter } = quiet();
    const steps = madeUp(reporter, [], 0);
    await expect(compare(file, { runs: dir }, steps, reporter)).rejects.toThrow('killed');
    expect(readFileSync(join(folder, 'train/manifest.csv'), 'utf8')).toContain('volumes/0001.nii.gz,nodules,');
    // Those of another seed are refused; a folder that does not say how it was drawn is taken.
    const other = join(folder, 'other.experiment.jsonc');
    const changed = { ...phantoms, train: { ...phantoms.train, seed: 9 } };
    writeFileSync(other, JSON.stringify({ ...given, phantoms: changed }));
    await expect(compare(other, { runs: dir }, steps, reporter)).rejects.toThrow(/train.*drawn otherwise/);
    rmSync(join(folder, 'train/phantoms.json'));
    await expect(compare(file, { runs: dir }, steps, reporter)).rejects.toThrow('killed');
  });

  test('that was changed after it was fixed is refused', async () => {
    const out = join(dir, 'fixed-out');
    const { reporter } = quiet();
    const steps = madeUp(reporter, [], 0);
    await expect(compare(experiment('fixed'), { out, runs: dir }, steps, reporter)).rejects.toThrow('killed');
    const changed = experiment('fixed', { seeds: [1, 2, 3, 4] });
    await expect(compare(changed, { out, runs: dir }, steps, reporter)).rejects.toThrow(/changed after it was fixed/);
    const file = experiment('fixed');
    // A field that an earlier version did not have is no change; another default is one.
    const about = join(out, 'experiment.json');
    const fixed = JSON.parse(readFileSync(about, 'utf8'));
    const { koleo: _, ...earlier } = fixed.arms.good.train;
    const write = (train: object) =>
      writeFileSync(about, JSON.stringify({ ...fixed, arms: { ...fixed.arms, good: { ...fixed.arms.good, train } } }));
    write(earlier);
    await expect(compare(file, { out, runs: dir }, steps, reporter)).rejects.toThrow('killed');
    write({ ...fixed.arms.good.train, koleo: 0.2 });
    await expect(compare(file, { out, runs: dir }, steps, reporter)).rejects.toThrow(
      /arm "good" another configuration/,
    );
    writeFileSync(about, '{ <<<<<<< ours');
    await expect(compare(file, { out, runs: dir }, steps, reporter)).rejects.toThrow(/experiment\.json.*is damaged/s);
  });

  test('can be asked anew as the refusal says: a file of another name with another `name`', async () => {
    const { reporter } = quiet();
    const steps = madeUp(reporter, [], 0);
    const runs = join(dir, 'anew-runs');
    await expect(compare(experiment('anew'), { runs }, steps, reporter)).rejects.toThrow('killed');
    const changed = { seeds: [4], name: 'other' };
    await expect(compare(experiment('anew', changed), { runs }, steps, reporter)).rejects.toThrow(
      /copy the experiment to a file of another name and change `name` in it/,
    );
    await expect(compare(experiment('anew2', changed), { runs }, steps, reporter)).rejects.toThrow('killed');
  });

  test.each([
    ['a question about images that the test lacks', { primary: { ...given.primary, modality: '2D' } }, /no 2D images/],
    ['more labels than the probe can test', { labels: [4, 10] }, /10 3D images.*10 labels of each class/s],
    [
      'more labels than there are to fine-tune on',
      { ...tuned, fineTuning: { ...tuned.fineTuning, validation: 2 } },
      /has 5 images of the class "clear", but 4 \+ 2 are needed/,
    ],
    [
      'a training on images that do not exist',
      { base: { ...given.base, data: { manifest: 'none.csv' } } },
      /none\.csv: does not exist/,
    ],
    [
      'a class that nothing is fine-tuned on',
      {
        ...tuned,
        labels: [1],
        primary: { ...given.primary, labels: 1 },
        secondary: [],
        fineTuning: { ...tuned.fineTuning, manifest: 'clear.csv' },
      },
      /no 3D image of the class "nodules", which the test has/,
    ],
    [
      'test images that an arm is trained on',
      { arms: { ...given.arms, weak: { data: { manifest: 'test/manifest.csv' } } } },
      /test\/manifest\.csv: the image .*0001\.nii\.gz is in the test as well/,
    ],
    [
      'a folder of training images with the test in it',
      { base: { ...given.base, data: { paths: '.' } }, arms: { good: {}, weak: {} } },
      /is in the test as well/,
    ],
    [
      'test images that are fine-tuned on',
      { ...tuned, fineTuning: { ...tuned.fineTuning, manifest: 'test/manifest.csv' } },
      /is in the test as well/,
    ],
  ])('refuses %s, and fixes nothing', async (name, change, message) => {
    const out = join(dir, `${name}-out`);
    const { reporter } = quiet();
    await expect(
      compare(experiment('refused', change), { out, runs: dir }, madeUp(reporter, [], 0), reporter),
    ).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
  });

  test('whose run was stopped ends with the exit code of an interruption', async () => {
    const { reporter } = quiet();
    const steps: CompareSteps = { ...madeUp(reporter, []), train: async () => 'stopped' };
    const before = process.exitCode;
    try {
      await compare(experiment('stopped'), { runs: join(dir, 'stopped-runs') }, steps, reporter);
      expect(process.exitCode).toBe(130);
    } finally {
      process.exitCode = before;
    }
  });

  test('names its runs and gives each arm its changes and seeds', async () => {
    const { runs, manifest } = await readExperiment(experiment('arms'));
    expect(runs.map(({ name }) => name)).toEqual(
      [1, 2, 3].flatMap((s) => [`made-up-good-s${s}`, `made-up-weak-s${s}`]),
    );
    const [good, weak] = runs;
    expect([good?.config.train.seed, good?.config.train.epochs, weak?.config.train.koleo]).toEqual([1, 2, 0.1]);
    expect(weak?.config.data.manifest).toBe(join(dir, 'train/manifest.csv'));
    expect(basename(join(manifest, '..'))).toBe('test');
  });

  test.each([
    ['a repeated seed', { seeds: [1, 2, 1] }, /each only once.*seeds/s],
    ['repeated labels', { labels: [4, 4] }, /each only once.*labels/s],
    ['a repeated task', { tasks: ['probe', 'probe'] }, /each only once.*tasks/s],
    ['an arm against itself', { primary: { ...given.primary, than: 'good' } }, /"good" is compared with itself/],
    ['an unknown arm', { primary: { ...given.primary, than: 'none' } }, /no arm "none"/],
    ['labels that are not measured', { primary: { ...given.primary, labels: 16 } }, /16 labels are not measured/],
    [
      'a wrong configuration of an arm',
      { arms: { ...given.arms, good: { train: { lr: -1 } } } },
      /arms\.good.*train\.lr/s,
    ],
    [
      'arms that get each other’s time',
      { match: 'compute', compute: { good: ['weak'], weak: ['good'] } },
      /compute\.good.*"weak" has no time of its own/s,
    ],
    [
      'conditions that phantoms lack',
      { phantoms: { train: { seed: 1, volumes: 1, images: 1, only: { '2D': ['none'] } } } },
      /phantoms\.train\.only\.2D.*nodules/s,
    ],
    ['an arm called like a baseline', { arms: { random: {} } }, /no arm is called/],
    ['a task that is not measured', { primary: { ...given.primary, task: 'segmentation' } }, /"segmentation" is not/],
    ['fine-tuning on nothing', { tasks: ['probe', 'classification'] }, /nothing says what is fine-tuned/],
    [
      'a wrong recipe',
      { ...tuned, fineTuning: { ...tuned.fineTuning, recipe: { '3D': { train: { lr: -1 } } } } },
      /fineTuning\.recipe.*train\.lr/s,
    ],
    [
      'a baseline of another task',
      { ...tuned, primary: { ...given.primary, task: 'classification', than: 'moments' } },
      /no arm "moments".*good, weak, scratch/s,
    ],
  ])('refuses %s', async (_, change, message) => {
    await expect(readExperiment(experiment('wrong', change))).rejects.toThrow(message);
  });
});
