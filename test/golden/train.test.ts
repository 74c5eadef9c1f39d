import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { testEngine } from '../engine.ts';
import { checkTraining } from './train.ts';

/** Far more than it takes; machines that run tests are often busy. */
const minutes = 300_000;

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

describe.each(['train-tiny-2D.json', 'train-tiny-3D.json'])('three steps of %s', (file) => {
  test.each(['graph', 'eager'] as const)('%s', (executor) => checkTraining(engine, file, { executor }), minutes);
  test('graph, in two micro-batches', () => checkTraining(engine, file, { executor: 'graph', accumulate: 2 }), minutes);
});
