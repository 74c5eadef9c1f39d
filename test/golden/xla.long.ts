import { beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { testEngine } from '../engine.ts';
import { checkForward } from './forward.ts';
import { checkTraining } from './train.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

describe('XLA', () => {
  test.each(['forward-tiny.json', 'forward-small.json'])('%s', (file) => checkForward(engine, file, 'xla'));
  test.each(['train-tiny-2D.json', 'train-tiny-3D.json'])('%s', (file) =>
    checkTraining(engine, file, { executor: 'xla' }),
  );
});
