import { expect, it } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { pretrainCost } from './cost.ts';

/** Peaks of whole processes on two cores of an AMD EPYC, MiB (docs/performance.md, "Predicted memory"). */
it.each([
  ['nano', 8, 1156.3],
  ['nano', 24, 1984.9],
  ['tiny', 2, 2301],
] as const)(
  'predicts the memory of %s with batches of %i within 15 %% of the measured peak',
  (preset, batch, measured) => {
    const given = { data: { paths: 'ct' }, model: { preset }, train: { batch: { '2D': batch, '3D': batch } } };
    const config = requirePretrain(resolveConfig(parseConfig(JSON.stringify(given), 'test'), { baseDir: '/' }));
    const predicted = pretrainCost(config, ['2D', '3D']).memory / 2 ** 20;
    expect(Math.abs(predicted / measured - 1)).toBeLessThan(0.15);
  },
);
