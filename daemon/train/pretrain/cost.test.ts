import { expect, it } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { pretrainCost } from './cost.ts';

/** Peaks of whole processes on two cores of an AMD EPYC, MiB (docs/performance.md, "Predicted memory"). */
it.each([
  ['nano', 8, ['2D', '3D'], 1156.3],
  ['nano', 24, ['2D', '3D'], 1984.9],
  ['tiny', 2, ['2D', '3D'], 2301],
  ['tiny', 4, ['2D', '3D'], 2782.6],
  ['tiny', 4, ['2D'], 1831],
] as const)('predicts the memory of %s with batches of %i (%j) within 15 %% of the measured peak', (...measured) => {
  const [preset, batch, phases, peak] = measured;
  const given = { data: { paths: 'ct' }, model: { preset }, train: { batch: { '2D': batch, '3D': batch } } };
  const config = requirePretrain(resolveConfig(parseConfig(JSON.stringify(given), 'test'), { baseDir: '/' }));
  const predicted = pretrainCost(config, phases).memory / 2 ** 20;
  expect(Math.abs(predicted / peak - 1)).toBeLessThan(0.15);
});
