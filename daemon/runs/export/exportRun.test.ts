import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import { writeNetworkPlan } from '../folder/networkPlan.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { exportRun } from './exportRun.ts';
import { pretrainedRun } from './runs.fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-export-'));
afterAll(() => rmSync(folder, { recursive: true }));
const options = { network: 'student', onNotice: () => undefined } as const;

test("a pre-training: the reference's names, a plan without paths, a card, a loader; nothing beside them", async () => {
  const run = await pretrainedRun(join(folder, 'runs'));
  const out = join(folder, 'out');
  const { plan, parameters } = await exportRun(run, out, { ...options, network: 'teacher' });
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
  await expect(exportRun(run, out, options)).rejects.toThrow(/exists and is not empty/);
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

test('a fine-tuning: its best checkpoint, its labels, and its number on the card', async () => {
  const text = JSON.stringify({
    ...{ task: 'finetune', name: 'liver', problem: 'segmentation', modality: '3D' },
    ...{ data: { path: folder }, model: { preset: 'nano' } },
  });
  const config = resolveConfig(parseConfig(text, 'test'), { baseDir: folder });
  const run = await RunFolder.create(join(folder, 'runs'), text, config);
  await expect(exportRun(run, join(folder, 'none'), options)).rejects.toThrow(/has no checkpoint yet/);
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
  await expect(exportRun(run, join(folder, 'none'), options)).rejects.toThrow(/has no network\.json yet/);
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
  const { plan } = await exportRun(run, out, options);
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

test('a path that cannot be written is named, and nothing is left', async () => {
  const run = await pretrainedRun(join(folder, 'others'));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(exportRun(run, join(file, 'out'), options)).rejects.toMatchObject({ code: 'disk' });
  expect(readFileSync(file, 'utf8')).toBe('');
});
