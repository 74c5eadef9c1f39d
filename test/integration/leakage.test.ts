import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { FinetuneInput } from '../../protocol/config/finetune/index.ts';
import { evaluation } from '../../protocol/evaluation/evaluation.ts';
import { volumesWithClasses } from './labelledPhantoms.ts';
import { fewPhantoms, runNames, smallConfig, temporaryFolder, unimiss, writeConfig } from './trainer.ts';

/** The volume of a NIfTI file as a MetaImage: other header, other ending, no compression, the same place in space. */
function asMetaImage(nifti: string): Buffer {
  const bytes = gunzipSync(readFileSync(nifti));
  const size = [42, 44, 46].map((at) => bytes.readInt16LE(at));
  const rows = [280, 296, 312].map((at) => [0, 4, 8, 12].map((next) => bytes.readFloatLE(at + next)));
  const lps = rows.map((row, i) => (i < 2 ? row.map((value) => -value) : row)); // NIfTI is RAS
  const lengths = [0, 1, 2].map((axis) => Math.hypot(...lps.map((row) => row[axis]!)));
  const directions = [0, 1, 2].flatMap((axis) => lps.map((row) => row[axis]! / lengths[axis]!));
  const header = [
    ...['ObjectType = Image', 'NDims = 3', 'BinaryData = True', 'BinaryDataByteOrderMSB = False'],
    `TransformMatrix = ${directions.join(' ')}`,
    `Offset = ${lps.map((row) => row[3]).join(' ')}`,
    `ElementSpacing = ${lengths.join(' ')}`,
    `DimSize = ${size.join(' ')}`,
    ...['ElementType = MET_SHORT', 'ElementDataFile = LOCAL', ''],
  ];
  return Buffer.concat([Buffer.from(header.join('\n')), bytes.subarray(bytes.readFloatLE(108))]);
}

test('a test image that was pre-trained on, in another format and under another name, is found; so is one that was fine-tuned on', async () => {
  const own = temporaryFolder('leakage');
  const manifest = await fewPhantoms(join(own, 'unlabelled'));
  const call = async (...args: string[]) => {
    const result = await unimiss(own, [...args, '--foreground']);
    expect(result.code, result.stderr).toBe(0);
    return result;
  };
  const pretraining = smallConfig(manifest, (config) => {
    config.train = { ...config.train, epochs: 2 };
  });
  await call('pretrain', writeConfig(own, pretraining));
  const [pretrained] = runNames(own);

  const labelled = dirname(await volumesWithClasses(join(own, 'labelled'), 8));
  const names = readdirSync(labelled)
    .filter((name) => name.endsWith('.nii.gz'))
    .sort();
  const seen = readdirSync(join(own, 'unlabelled', 'volumes')).sort();
  mkdirSync(join(labelled, 'hidden'));
  writeFileSync(join(labelled, 'hidden', 'innocent.mha'), asMetaImage(join(own, 'unlabelled', 'volumes', seen[0]!)));
  writeFileSync(join(labelled, 'hidden', 'twice.mha'), asMetaImage(join(labelled, names[0]!)));
  const label = (n: number) => ['clear', 'nodules'][n % 2];
  const table = join(labelled, 'split.csv');
  const rows = [
    ...names.slice(0, 4).map((name, n) => `${name},${label(n)},train`),
    ...names.slice(4, 6).map((name, n) => `${name},${label(n)},validation`),
    ...names.slice(6).map((name, n) => `${name},${label(n)},test`),
    'hidden/innocent.mha,clear,test',
    'hidden/twice.mha,nodules,test',
  ];
  writeFileSync(table, `path,label,split\n${rows.join('\n')}\n`);
  const config: FinetuneInput = {
    ...{ task: 'finetune', name: 'tuned', problem: 'classification', modality: '3D', data: { path: table } },
    ...{ model: { preset: 'nano' }, plan: { patch: [16, 64, 64] } },
    train: { epochs: 1, stepsPerEpoch: 1, batch: 2, seed: 3 },
  };
  await call('finetune', writeConfig(own, config), '--from', pretrained!);
  const run = join(own, 'runs', runNames(own).find((name) => name.startsWith('tuned'))!);
  // A run tells of the images that it trained on, and of no others.
  const images = readFileSync(join(run, 'images.jsonl'), 'utf8').trim().split('\n').slice(1);
  expect(images.map((line) => JSON.parse(line).image).sort()).toEqual(names.slice(0, 4));

  await call('evaluate', run, '--alone');
  const { leakage } = evaluation.parse(
    JSON.parse(readFileSync(join(run, 'evaluations', 'test-1', 'evaluation.json'), 'utf8')),
  );
  expect(leakage).toEqual({ state: 'found', checked: 4, cases: ['hidden/innocent.mha', 'hidden/twice.mha'] });
  await call('evaluate', run, '--alone', '--split', 'validation');
  const validated = evaluation.parse(
    JSON.parse(readFileSync(join(run, 'evaluations', 'validation-1', 'evaluation.json'), 'utf8')),
  );
  expect(validated.leakage).toEqual({ state: 'none', checked: 2 });

  // A run without hashes, as of an earlier version, tells nothing: that is "unknown", never "none".
  rmSync(join(own, 'runs', pretrained!, 'images.jsonl'));
  await call('evaluate', run, '--alone', '--split', 'validation');
  const folder = join(run, 'evaluations', 'validation-1');
  const silent = evaluation.parse(JSON.parse(readFileSync(join(folder, 'evaluation.json'), 'utf8')));
  expect(silent.leakage).toEqual({ state: 'unknown', reason: expect.stringContaining(pretrained!) });
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('seen these images is unknown.');
}, 240_000);
