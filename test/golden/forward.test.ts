import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { testEngine } from '../engine.ts';
import { checkForward } from './forward.ts';
import { checkLoss } from './loss.ts';
import { goldenFiles } from './values.ts';

/** Far more than it takes; machines that run tests are often busy. */
const minutes = 300_000;

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

describe.each(['eager', 'graph'] as const)('%s', (executor) => {
  for (const file of goldenFiles(/^forward-.*\.json$/)) test(file, () => checkForward(engine, file, executor), minutes);
  test.skipIf(goldenFiles(/^loss\.json$/).length === 0)('loss and centre', () => checkLoss(engine, executor));
});
