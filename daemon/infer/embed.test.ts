import { afterAll, beforeAll, expect, test } from 'vitest';
import { modalities } from '../../protocol/modality.ts';
import { testEngine } from '../../test/engine.ts';
import { smallestModel as config } from '../../test/smallestModel.ts';
import { Random } from '../data/random.ts';
import type { Engine } from '../engine/index.ts';
import { seededValues } from '../train/parameters/firstValues.ts';
import { createEmbed } from './embed.ts';
import { createBackbone, type Network } from './network.ts';
import { createStageFeatures } from './stageFeatures.ts';

let engine: Engine;
let network: Network;
beforeAll(async () => {
  engine = await testEngine();
  network = createBackbone(engine, config, 'teacher', seededValues(1));
});
afterAll(() => network.parameters.dispose());

test.each(modalities)(
  '%s: features are the class token of the decoder, or class token and patches of the encoder',
  async (modality) => {
    const shape = modality === '2D' ? [...config.size2D, 3] : [...config.size3D, 1];
    const random = new Random(1, modality);
    const image = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.uniform());
    const stages = createStageFeatures(engine, network, { modality, batch: 1 });
    const expected = await stages.run(image);
    stages.dispose();
    for (const [features, parts] of [
      ['decoder', ['decoder']],
      ['encoder', ['token', 'patches']],
    ] as const) {
      const embed = createEmbed(engine, network, { modality, batch: 2, features });
      const found = await embed.run(image);
      embed.dispose();
      const own = parts.flatMap((part) => [...expected[part]!]);
      expect(found).toHaveLength(embed.length);
      expect(own).toHaveLength(embed.length);
      for (const [i, value] of own.entries()) expect(found[i]).toBeCloseTo(value, 5);
    }
  },
);
