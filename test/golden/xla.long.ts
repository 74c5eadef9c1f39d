import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { testEngine } from '../engine.ts';
import { checkClassification, checkSegmentation } from './downstream.ts';
import { checkForward } from './forward.ts';
import { checkLoss } from './loss.ts';
import { checkTraining } from './train.ts';
import { goldenFiles } from './values.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

describe('XLA', () => {
  for (const file of goldenFiles(/^forward-.*\.json$/)) test(file, () => checkForward(engine, file, 'xla'));
  for (const file of goldenFiles(/^train-.*\.json$/))
    test(file, () => checkTraining(engine, file, { executor: 'xla' }));
  for (const file of goldenFiles(/^classification-.*\.json$/))
    test(file, () => checkClassification(engine, file, 'xla'));
  for (const file of goldenFiles(/^segmentation-.*\.json$/)) test(file, () => checkSegmentation(engine, file, 'xla'));
  test.skipIf(goldenFiles(/^loss\.json$/).length === 0)('loss and centre', () => checkLoss(engine, 'xla'));
});
