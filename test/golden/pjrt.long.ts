import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { lackOfPjrt, pjrtTestEngine } from '../engine.ts';
import { checkClassification, checkSegmentation } from './downstream.ts';
import { checkForward } from './forward.ts';
import { checkTraining } from './train.ts';
import { goldenFiles } from './values.ts';

/** All golden numbers on PJRT. XLA compiles each step for a minute or more on a processor. */
describe.skipIf(lackOfPjrt)('pjrt:cpu', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await pjrtTestEngine();
  });

  test.each(goldenFiles(/^forward-.*\.json$/))('%s', (file) => checkForward(engine, file, 'xla'));
  test.each(goldenFiles(/^train-.*\.json$/))('%s', (file) => checkTraining(engine, file, { executor: 'xla' }));
  test.each(goldenFiles(/^classification-.*\.json$/))('%s', (file) => checkClassification(engine, file, 'xla'));
  test.each(goldenFiles(/^segmentation-.*\.json$/))('%s', (file) => checkSegmentation(engine, file, 'xla'));
});
