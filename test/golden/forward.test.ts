import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { testEngine } from '../engine.ts';
import { checkForward } from './forward.ts';

/** Far more than it takes; machines that run tests are often busy. */
const minutes = 300_000;

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

describe.each(['eager', 'graph'] as const)('forward, %s', (executor) => {
  test.each(['forward-tiny.json', 'forward-small.json'])('%s', (file) => checkForward(engine, file, executor), minutes);
});
