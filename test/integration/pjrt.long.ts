import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PretrainInput } from '../../protocol/config/pretrain/index.ts';
import { lackOfPjrt } from '../engine.ts';
import { afterStep, expectSameAfter, unbrokenRun } from './killAndResume.ts';
import { fewPhantoms, smallConfig, temporaryFolder } from './trainer.ts';

/** A pre-training of pictures alone: XLA compiles one step, not two. */
async function pictures(): Promise<PretrainInput> {
  const manifest = await fewPhantoms(temporaryFolder('phantoms'), 0, 6);
  return smallConfig(manifest, (config) => {
    config.engine = { device: 'pjrt:cpu' };
    config.train = { ...config.train, epochs: 2 };
  });
}

describe.skipIf(lackOfPjrt)('a run on pjrt:cpu', () => {
  test('that was killed and resumed equals the unbroken one bit for bit', async () => {
    const unbroken = await unbrokenRun(await pictures());
    const versions = JSON.parse(readFileSync(join(unbroken.run, 'versions.json'), 'utf8'));
    expect(versions.tensorflow).toMatch(/^PJRT 0\.\d+ cpu/);
    expect(await expectSameAfter(unbroken, [afterStep(4)])).toBe(1);
  }, 600_000);
});
