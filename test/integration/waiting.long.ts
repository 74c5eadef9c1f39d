import { expect, test } from 'vitest';
import { folderOf } from '../needs.ts';
import { onlyRun, recordsOf, smallConfig, temporaryFolder, unimiss, writeConfig } from './trainer.ts';

const samples = folderOf('samples');

test.skipIf(!samples)(
  'with one worker on real sub-volumes the trainer of tiny waits under 5 % of its time (UNIMISS_SAMPLES)',
  async () => {
    const folder = temporaryFolder('waiting');
    const config = smallConfig('', (c) => {
      c.data = { paths: `${samples}/ct-subvolumes`, workers: 1, cache: `${folder}/cache` };
      c.model = { preset: 'tiny', head: { outDim: 1024 } };
      c.train = { ...c.train, epochs: 4, interval: 4 };
      c.checkpoint = { everyMinutes: null, everyEpochs: 4 };
    });
    const { code, stderr } = await unimiss(folder, ['pretrain', writeConfig(folder, config)]);
    expect(code, stderr).toBe(0);
    const steps = recordsOf(onlyRun(folder)).filter((r) => r.kind === 'step');
    const waited = steps.reduce((sum, s) => sum + s.waitMs, 0);
    const worked = steps.reduce((sum, s) => sum + s.stepMs, 0);
    console.log(`${steps.length} steps: waited ${waited.toFixed(0)} ms of ${(waited + worked).toFixed(0)} ms`);
    expect(waited / (waited + worked)).toBeLessThan(0.05);
  },
  600_000,
);
