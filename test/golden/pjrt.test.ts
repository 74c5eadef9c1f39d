import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { lackOfPjrt, pjrtTestEngine } from '../engine.ts';
import { checkLoss } from './loss.ts';
import { checkReduced, reducedFiles } from './reduced.ts';
import { goldenFiles } from './values.ts';

describe.skipIf(lackOfPjrt)('pjrt:cpu', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await pjrtTestEngine();
  });

  test.skipIf(goldenFiles(/^loss\.json$/).length === 0)('loss and centre', () => checkLoss(engine, 'xla'));
  test.each(reducedFiles)('activations of the reduced model, %s', (modality) => checkReduced(engine, 'xla', modality));
});
