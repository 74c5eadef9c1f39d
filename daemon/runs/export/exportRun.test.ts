import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import { evaluateClassification } from '../../evaluate/metrics/evaluateClassification.ts';
import { writeEvaluation } from '../../evaluate/metrics/writeEvaluation.ts';
import { writeNetworkPlan } from '../folder/networkPlan.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { exportRun } from './exportRun.ts';
import { pretrainedRun } from './runs.fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-export-'));
afterAll(() => rmSync(folder, { recursive: true }));
const anyNetwork = { network: 'student', onNotice: () => undefined } as const;

test("a pre-training: the reference's names, a plan without paths, a card, a loader; nothing beside them", async () => {
  const run = await pretrainedRun(join(folder, 'runs'));
  const out = join(folder, 'out');
  const { plan, parameters } = await exportRun(run, out, { ...anyNetwork, network: 'teacher' });
  expect(readdirSync(out).sort()).toEqual(['README.md', 'load.py', 'model.safetensors', 'plan.json']);
  expect(plan).toMatchObject({ task: 'pretrain', role: 'teacher', step: 5, architecture: { size3D: [32, 64, 64] } });
  const file = await SafetensorsFile.open(join(out, 'model.safetensors'));
  await file.verify();
  const names = [...file.tensors.keys()];
  expect(names).toContain('backbone.transformer.patch_embed3D0.conv.weight');
  expect(names.every((name) => /^(backbone|head)\./.test(name))).toBe(true);
  expect((await file.readFloat32('backbone.norm.bias'))[0]).toBe(3);
  expect(JSON.parse(file.metadata.plan ?? '')).toEqual(JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8')));
  expect(file.metadata.plan).not.toContain(folder);
  await file.close();
  const card = readFileSync(join(out, 'README.md'), 'utf8');
  expect(card).toMatch(/^---\nlibrary_name: pytorch\npipeline_tag: image-feature-extraction\ntags:\n(- .*\n)+---\n/);
  expect(card).toContain(`${(parameters / 1e6).toFixed(1)} million parameters`);
  expect(card).not.toContain(folder);
  await expect(exportRun(run, out, anyNetwork)).rejects.toThrow(/exists and is not empty/);
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

test('a fine-tuning: its best checkpoint, its labels, and its number on the card', async () => {
  const text = JSON.stringify({
    ...{ task: 'finetune', name: 'liver', problem: 'segmentation', modality: '3D' },
    ...{ data: { path: folder }, model: { preset: 'nano' } },
  });
  const config = resolveConfig(parseConfig(text, 'test'), { baseDir: folder });
  const run = await RunFolder.create(join(folder, 'runs'), text, config);
  await expect(exportRun(run, join(folder, 'none'), anyNetwork)).rejects.toThrow(/has no checkpoint yet/);
  const metadata = (step: number) => ({
    format: 'unimiss-checkpoint-2',
    task: 'finetune',
    counters: `{"step":${step}}`,
  });
  const store = new CheckpointStore(run.checkpointsFolder);
  for (const [step, value] of [
    [1, 0.75],
    [2, 0.5],
  ] as const)
    await store.save(
      step,
      [{ name: 'network.cls_conv.bias', dtype: 'F32', shape: [1], read: () => Float32Array.of(step) }],
      metadata(step),
      { series: 'dice', value, better: 'higher' },
    );
  await expect(exportRun(run, join(folder, 'none'), anyNetwork)).rejects.toThrow(/has no network\.json yet/);
  await writeNetworkPlan(run, {
    ...{ format: 1, problem: 'segmentation', modality: '3D', labels: 'exclusive', ignore: null, preset: 'nano' },
    classes: [
      { name: 'background', values: [0] },
      { name: 'liver | left', values: [1] },
    ],
    ...{ patch: [16, 64, 64], fit: 'crop', spacing: [3, 1, 1] },
    channels: [{ name: 'MR', normalization: { scheme: 'zScore' } }],
  });
  const out = join(folder, 'liver');
  const { plan } = await exportRun(run, out, anyNetwork);
  expect(plan).toMatchObject({ step: 1, role: 'network', labels: ['background', 'liver | left'] });
  expect(plan.network?.spacing).toEqual([3, 1, 1]);
  const card = readFileSync(join(out, 'README.md'), 'utf8');
  expect(card).toContain('pipeline_tag: image-segmentation');
  expect(card).toMatch(/metrics:\n {4}- type: "dice"\n {6}value: 0\.75\n---/);
  expect(card).toContain('background, liver \\| left');
  expect(card).toContain('dice = 0.7500 on the validation cases');
  const file = await SafetensorsFile.open(join(out, 'model.safetensors'));
  expect(await file.readFloat32('cls_conv.bias')).toEqual(Float32Array.of(1));
  await file.close();
});

test('the numbers of an evaluation of that checkpoint are on the card of a fine-tuning', async () => {
  const text = JSON.stringify({
    ...{ task: 'finetune', name: 'chest', problem: 'classification', modality: '2D' },
    ...{ data: { path: folder }, model: { preset: 'nano' } },
  });
  const config = resolveConfig(parseConfig(text, 'test'), { baseDir: folder });
  const run = await RunFolder.create(join(folder, 'evaluated'), text, config);
  const metadata = { format: 'unimiss-checkpoint-2', task: 'finetune', counters: '{"step":4}' };
  await new CheckpointStore(run.checkpointsFolder).save(
    4,
    [{ name: 'network.head_new.bias', dtype: 'F32', shape: [2], read: () => Float32Array.of(1, 2) }],
    metadata,
    { series: 'auc', value: 0.9, better: 'higher' },
  );
  await writeNetworkPlan(run, {
    ...{ format: 1, problem: 'classification', modality: '2D', labels: 'exclusive', ignore: null, preset: 'nano' },
    classes: ['healthy', 'ill'].map((name, k) => ({ name, values: [k] })),
    ...{ patch: [64, 64], fit: 'resize', spacing: null },
    channels: [{ name: 'grey', normalization: { scheme: 'divide', by: 255 } }],
  });
  const cases = [0.9, 0.7, 0.4, 0.2].map((p, i) => ({
    ...{ id: `case ${i}`, patient: `patient ${i}`, probabilities: [p, 1 - p], reference: [i < 2 ? 0 : 1] },
  }));
  const classes = ['healthy', 'ill'];
  const options = { name: run.id, split: 'test', exclusions: [], versions: {}, classes, exclusive: true };
  const evaluation = evaluateClassification(cases, options);
  await writeEvaluation(join(run.folder, 'evaluations', 'test-4'), {
    ...evaluation,
    leakage: { state: 'none', checked: 4 },
  });
  await exportRun(run, join(folder, 'chest'), { ...anyNetwork, checkpoint: 'last' });
  const card = readFileSync(join(folder, 'chest', 'README.md'), 'utf8');
  const [, header = ''] = /^---\n(.*?)\n---\n/s.exec(card) ?? [];
  expect(header).toMatch(/name: test cases of the run\n {6}type: private\n {4}metrics:\n {4}- type: "roc_auc"/);
  expect(header).toMatch(/- type: "accuracy"\n {6}name: "Accuracy"\n {6}value: 1\n/);
  expect(card).toContain('Measured on 4 test cases of 4 patients');
  expect(card).toContain('None of these images was among those of the training');
  expect(card).toMatch(/\| AUC \| 1\.000 \| .* \|/);
  expect(card).toContain('| healthy | 1.000 |');
  expect(card).not.toContain('case 0');

  const broken = join(run.folder, 'evaluations', 'test-4', 'evaluation.json');
  writeFileSync(broken, '{"format":');
  const told: string[] = [];
  await exportRun(run, join(folder, 'without'), { ...anyNetwork, onNotice: (message) => told.push(message) });
  expect(told.join()).toMatch(/evaluation\.json is no evaluation that this version can read/);
  expect(readFileSync(join(folder, 'without', 'README.md'), 'utf8')).toContain('auc = 0.9000 on the validation cases');
});

test('a path that cannot be written is named, and nothing is left', async () => {
  const run = await pretrainedRun(join(folder, 'others'));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(exportRun(run, join(file, 'out'), anyNetwork)).rejects.toMatchObject({ code: 'disk' });
  expect(readFileSync(file, 'utf8')).toBe('');
});
