import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { SafetensorsFile } from '../../daemon/checkpoint/safetensorsReader.ts';
import { writeSafetensors } from '../../daemon/checkpoint/safetensorsWriter.ts';
import { CheckpointStore } from '../../daemon/checkpoint/store.ts';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import {
  fewPhantoms,
  newestTensors,
  onlyRun,
  recordsOf,
  smallConfig,
  temporaryFolder,
  unimiss,
  writeConfig,
} from './trainer.ts';

/** One finished run that the commands look at; its image names are hidden, and it writes for TensorBoard. */
let folder: string;
let run: string;
let manifest: string;
beforeAll(async () => {
  folder = temporaryFolder('commands');
  manifest = await fewPhantoms(join(folder, 'phantoms'));
  const config = smallConfig(manifest, (c) => {
    c.records = { hidePaths: true, tensorboard: true };
  });
  const { code, stderr } = await unimiss(folder, ['pretrain', writeConfig(folder, config)]);
  expect(code, stderr).toBe(0);
  run = onlyRun(folder);
}, 120_000);

test('runs: a table for people, JSON lines for scripts', async () => {
  const text = await unimiss(folder, ['runs']);
  expect(text.stdout).toMatch(/^run +state +model +epoch +step +loss +left +updated\n/);
  expect(text.stdout).toContain('finished');
  const json = await unimiss(folder, ['runs', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    id: basename(run),
    state: 'finished',
    preset: 'nano',
    epoch: 3,
    epochs: 4,
  });
});

test.each([
  ['text', /^2D +first +last +best +limit\n +Mean loss, nats/m],
  ['json', /"teacherEntropy"/],
  ['csv', /^step,epoch,/],
  ['csv-epochs', /effectiveRank/],
])('metrics --format %s', async (format, expected) => {
  const { code, stdout, stderr } = await unimiss(folder, ['metrics', basename(run), '--format', format]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(expected);
});

test('metrics --format html writes one self-contained page with previews', async () => {
  const { code, stdout, stderr } = await unimiss(folder, ['metrics', '--format', 'html']);
  expect(code, stderr).toBe(0);
  const page = readFileSync(stdout.trim(), 'utf8');
  expect(page).toContain("default-src 'none'");
  expect(page).toContain('data:image/png;base64,');
  expect(page).not.toMatch(/src="http|href="http/);
});

test('curves are written for TensorBoard while the run is trained', () => {
  const [file] = readdirSync(join(run, 'tensorboard'));
  expect(file).toMatch(/^events\.out\.tfevents\./);
  expect(readFileSync(join(run, 'tensorboard', file!)).length).toBeGreaterThan(1000);
});

test('with hidePaths no image is named in records and log', () => {
  for (const file of ['records.jsonl', 'log.txt'])
    expect(readFileSync(join(run, file), 'utf8')).not.toMatch(/000\d\.(png|nii\.gz)/);
});

test('embed gives one row of features an image, with its path and label', async () => {
  const { code, stdout, stderr } = await unimiss(folder, [
    'embed',
    basename(run),
    '--manifest',
    manifest,
    '-o',
    join(folder, 'features'),
  ]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/k-NN \(k = \d, leave-one-out\) finds the label of \d+ % of the images; chance: \d+ %/);
  const npy = readFileSync(join(folder, 'features', 'features-2D.npy'));
  expect(npy.toString('latin1', 10, 80)).toContain("'shape': (6, 24)");
  const rows = readFileSync(join(folder, 'features', 'features-3D.csv'), 'utf8')
    .trim()
    .split('\n');
  expect(rows).toHaveLength(1 + 4);
  expect(rows[1]).toMatch(/volumes\/0001\.nii\.gz,clear$/);
}, 60_000);

test('embed stops at too many broken images, and --max-broken allows more', async () => {
  const mixed = join(folder, 'mixed');
  mkdirSync(mixed);
  const images = readdirSync(join(folder, 'phantoms'), { recursive: true, encoding: 'utf8' });
  copyFileSync(join(folder, 'phantoms', images.find((name) => name.endsWith('.png'))!), join(mixed, 'good.png'));
  writeFileSync(join(mixed, 'bad.png'), 'no picture');
  writeFileSync(join(mixed, 'patient 7.txt'), 'no image');
  const args = ['embed', run, '--data', mixed, '-o', join(folder, 'of-mixed')];
  const { code, stderr } = await unimiss(folder, args);
  expect(stderr).toContain('--max-broken');
  expect(code).toBe(4);
  const allowed = await unimiss(folder, [...args, '--max-broken', '0.5']);
  expect(allowed.code, allowed.stderr).toBe(0);
  // The run hides names.
  expect(allowed.stderr).toContain('1 file was skipped, because only images are used\n');
  expect(allowed.stderr).not.toContain('patient 7');
}, 60_000);

const compiler = spawnSync('cc', ['--version']).status === 0;

test.skipIf(!compiler)(
  'a run that names native code loads none of it, and says so (needs a C compiler)',
  async () => {
    const evil = join(folder, 'evil');
    mkdirSync(evil);
    const mark = join(folder, 'constructor-ran');
    const source = `#include <stdio.h>\n__attribute__((constructor)) static void run(void) { fclose(fopen("${mark}", "w")); }`;
    for (const name of ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2'])
      execFileSync('cc', ['-shared', '-fPIC', '-x', 'c', '-o', join(evil, name), '-'], { input: source });
    const sent = join(folder, 'sent', basename(run));
    cpSync(run, sent, { recursive: true });
    const file = join(sent, 'config.resolved.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...config, engine: { ...config.engine, library: evil } }));
    const { code, stderr } = await unimiss(folder, ['embed', sent, '-o', join(folder, 'of-sent')]);
    expect(existsSync(mark)).toBe(false);
    expect(stderr).toMatch(/`engine\.library` is ignored.*UNIMISS_TENSORFLOW/);
    expect(code, stderr).toBe(0);
  },
  60_000,
);

test('a run folder is readable without us: configuration as given and as resolved, versions, previews', () => {
  expect(JSON.parse(readFileSync(join(run, 'config.resolved.json'), 'utf8')).model.size2D).toEqual([64, 64]);
  expect(JSON.parse(readFileSync(join(run, 'versions.json'), 'utf8'))).toMatchObject({
    tensorflow: expect.stringMatching(/^2\./),
    executors: { '2D': 'graph', '3D': 'graph' },
    threads: { interOp: 2, intraOp: 2 },
  });
  expect(existsSync(join(run, 'config.unimiss.jsonc'))).toBe(true);
  expect(readdirSync(join(run, 'previews')).some((name) => name.endsWith('.png'))).toBe(true);
});

test('init prints a configuration that is valid', async () => {
  const { stdout } = await unimiss(folder, ['init', folder, '--preset', 'small']);
  mkdirSync(join(folder, 'init'));
  const file = join(folder, 'init', 'x.unimiss.jsonc');
  await import('node:fs/promises').then((fs) => fs.writeFile(file, stdout));
  const {
    code,
    stdout: resolved,
    stderr,
  } = await unimiss(folder, ['pretrain', file, '--dry-run', '--json', '--set', 'train.epochs=7']);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(resolved).config).toMatchObject({
    model: { preset: 'small', size3D: [16, 96, 96] },
    train: { epochs: 7 },
  });
});

test('init prints a configuration for fine-tuning, of one folder', async () => {
  const { code, stdout, stderr } = await unimiss(folder, ['init', folder, '--task', 'finetune', '--preset', 'nano']);
  expect(code, stderr).toBe(0);
  expect(parseConfig(stdout, 'init')).toMatchObject({
    ...{ task: 'finetune', data: { path: folder, fold: 0 }, model: { preset: 'nano' } },
  });
  const two = await unimiss(folder, ['init', folder, folder, '--task', 'finetune']);
  expect(two.code).not.toBe(0);
  expect(two.stderr).toContain('takes one folder, but 2 are given');
});

test('init warns of a folder that does not exist', async () => {
  const { code, stdout, stderr } = await unimiss(folder, ['init', 'chest ct']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Warning: chest ct does not exist\./) });
  expect(stdout).toContain('"name": "chest-ct"');
});

test.each([
  [['pretrain', 'nowhere.unimiss.jsonc'], 3, /no such file.*\n.*unimiss init/],
  [
    ['pretrain', '.', '--set', 'train.epoch=3', '--dry-run'],
    3,
    /^unimiss: --set train\.epoch=3: unknown key "epoch"\n {2}Did you mean "epochs"\?$/m,
  ],
  [['pretrain', '.', '--set', 'model.preset=tinny', '--dry-run'], 3, /tinny[\s\S]*"tiny"/],
  [
    ['pretrain', '.', '--set', 'data.paths=["nowhere"]', '--dry-run'],
    4,
    /^Error: data\.paths: \S*nowhere: does not exist\.\n/,
  ],
  [
    ['pretrain', '.', '--set', 'name.a=1', '--dry-run'],
    3,
    /^unimiss: --set: "name" is a string, so it cannot contain "name\.a"\n {2}Set the whole value/,
  ],
  [['embed', 'x', '-o', 'y', '--max-broken', '2'], 2, /from 0 to 1/],
  [['resume', 'no-such-run'], 7, /no run "no-such-run"[\s\S]*unimiss runs/],
  [['resume', '../elsewhere'], 7, /elsewhere/],
  [['metrics', '--format', 'xml'], 2, /Allowed choices/],
  [['frobnicate'], 2, /unknown command/],
  [['engine', 'install', '--device', 'tpu'], 2, /Allowed choices/],
] as const)('%j ends with exit code %i and a message that helps', async (args, expected, message) => {
  const { code, stderr } = await unimiss(folder, args);
  expect(stderr).toMatch(message);
  expect(code).toBe(expected);
});

test('engine info tells scripts by its exit code that there is no engine', async () => {
  const none = { UNIMISS_CACHE: join(folder, 'no cache'), UNIMISS_TENSORFLOW: '' };
  const without = await unimiss(folder, ['engine', 'info'], none);
  expect(without.code, without.stderr).toBe(5);
  expect(without.stdout).toMatch(/used +none: TensorFlow is not installed/);
  const json = await unimiss(folder, ['engine', 'info', '--json'], none);
  expect(json.code).toBe(5);
  expect(JSON.parse(json.stdout).problem).toContain('unimiss engine install');
  const { code, stdout } = await unimiss(folder, ['engine', 'info']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/TensorFlow \S+ finds: /);
}, 60_000);

test('engine doctor names no home folder, whatever a plugin is called', async () => {
  const home = temporaryFolder('home-of-jane');
  const plugin = join(home, 'plugin.so');
  writeFileSync(plugin, 'not a library');
  const env = { HOME: home, UNIMISS_PJRT: plugin, UNIMISS_CACHE: join(home, 'cache'), UNIMISS_TENSORFLOW: '' };
  for (const flags of [[], ['--json']]) {
    const { code, stdout, stderr } = await unimiss(folder, ['engine', 'doctor', ...flags], env);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('~/plugin.so is not a shared library');
    expect(stdout + stderr).not.toContain(home);
  }
}, 60_000);

test('a loss that is not finite stops the run with its values, and no checkpoint is written from it', async () => {
  const elsewhere = temporaryFolder('diverged');
  const start = join(elsewhere, 'start.safetensors');
  const newest = (await new CheckpointStore(join(run, 'checkpoints')).list()).at(-1)!;
  const file = await SafetensorsFile.open(newest.file);
  const sources = [];
  for (const { name, shape } of file.tensors.values()) {
    if (!name.startsWith('student.')) continue;
    const values = await file.readFloat32(name);
    if (name.endsWith('norm.bias')) values.fill(Number.POSITIVE_INFINITY);
    sources.push({ name, shape, dtype: 'F32' as const, read: () => values });
  }
  await file.close();
  await writeSafetensors(start, sources, {});
  const config = smallConfig(manifest, (c) => {
    c.train = { ...c.train, initialWeights: start };
  });
  const { code, stderr } = await unimiss(elsewhere, ['pretrain', writeConfig(elsewhere, config)]);
  expect(code, stderr).toBe(9);
  expect(stderr).toMatch(
    /step 1 .*the loss is NaN[\s\S]*the run would diverge again: start a new one with a lower train\.lr/,
  );
  const failed = onlyRun(elsewhere);
  expect(recordsOf(failed).at(-1)).toMatchObject({ kind: 'event', event: 'error', code: 'diverged' });
  expect(readdirSync(join(failed, 'checkpoints'))).toEqual([]);
}, 60_000);

test('weights of a finished run are the start of another', async () => {
  const elsewhere = temporaryFolder('from-weights');
  const newest = (await new CheckpointStore(join(run, 'checkpoints')).list()).at(-1)!;
  const config = smallConfig(manifest, (c) => {
    c.train = { ...c.train, initialWeights: newest.file, epochs: 1, lr: 1e-9, finalLr: 0, weightDecay: [0, 0] };
  });
  const { code, stderr } = await unimiss(elsewhere, ['pretrain', writeConfig(elsewhere, config)]);
  expect(code, stderr).toBe(0);
  const [before, after] = [await newestTensors(run), await newestTensors(onlyRun(elsewhere))];
  const name = 'student.backbone.transformer.patch_embed3D0.conv.weight'; // a 2D epoch leaves it alone
  expect(after.get(name)).toEqual(before.get(name));
}, 60_000);
