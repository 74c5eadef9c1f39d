import { join } from 'node:path';
import { beforeAll, describe, test } from 'vitest';
import { SafetensorsFile } from '../../daemon/checkpoint/safetensorsReader.ts';
import type { Engine } from '../../daemon/engine/index.ts';
import { createEmbed } from '../../daemon/infer/embed.ts';
import { createPretrainState } from '../../daemon/train/pretrain/index.ts';
import { type Modality, modalities } from '../../protocol/modality.ts';
import { testEngine } from '../engine.ts';
import { checkReduced, expectClose, has, reduced, reducedFiles } from './reduced.ts';
import { goldenFolder, goldenImages, readGolden } from './values.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

describe.skipIf(reducedFiles.length === 0).each(['eager', 'graph'] as const)(
  'activations of the reduced model, %s',
  (executor) => {
    test.each(reducedFiles)('%s', (modality) => checkReduced(engine, executor, modality));
  },
);

test.skipIf(!has('reference-checkpoint-student.safetensors'))('features of the reference checkpoint', async () => {
  const golden =
    readGolden<Record<Modality, { input: string; shape: number[]; studentFeature: number[][] }>>(
      'reference-checkpoint.json',
    );
  const file = await SafetensorsFile.open(join(goldenFolder, 'reference-checkpoint-student.safetensors'));
  const read = new Map<string, Float32Array>();
  for (const name of file.tensors.keys()) read.set(name.slice('module.'.length), await file.readFloat32(name));
  await file.close();
  const state = createPretrainState(engine, reduced, ({ name }) => read.get(name)!);
  for (const modality of modalities) {
    const { input, shape, studentFeature } = golden[modality];
    const embed = createEmbed(engine, { config: reduced, parameters: state.student }, { modality, batch: shape[0]! });
    const features = await embed.run(goldenImages(input, shape));
    expectClose(features, Float32Array.from(studentFeature.flat()), modality);
    embed.dispose();
  }
  state.dispose();
});
