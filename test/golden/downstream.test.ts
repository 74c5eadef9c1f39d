import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { testEngine } from '../engine.ts';
import { checkClassification, checkSegmentation } from './downstream.ts';
import { goldenFiles } from './values.ts';

/** Far more than it takes; machines that run tests are often busy. */
const minutes = 300_000;
const classification = goldenFiles(/^classification-.*\.json$/);
const segmentation = goldenFiles(/^segmentation-.*\.json$/);

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

describe.skipIf(classification.length + segmentation.length === 0).each(['eager', 'graph'] as const)(
  'downstream networks, %s',
  (executor) => {
    for (const file of classification) test(file, () => checkClassification(engine, file, executor), minutes);
    for (const file of segmentation) test(file, () => checkSegmentation(engine, file, executor), minutes);
  },
);
