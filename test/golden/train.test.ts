import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { testEngine } from '../engine.ts';
import { checkTraining } from './train.ts';
import { goldenFiles } from './values.ts';

/** Far more than it takes; machines that run tests are often busy. */
const minutes = 300_000;
const files = goldenFiles(/^train-.*\.json$/);

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

describe.skipIf(files.length === 0)('training steps', () => {
  for (const file of files) {
    test(`${file}, graph`, () => checkTraining(engine, file, { executor: 'graph' }), minutes);
    test(`${file}, eager`, () => checkTraining(engine, file, { executor: 'eager' }), minutes);
    test(
      `${file}, micro-batches`,
      () => checkTraining(engine, file, { executor: 'graph', microBatches: true }),
      minutes,
    );
  }
});
