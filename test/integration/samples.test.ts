import { expect, test } from 'vitest';
import { folderOf } from '../needs.ts';
import { onlyRun, recordsOf, smallConfig, temporaryFolder, unimiss, writeConfig } from './trainer.ts';

const samples = folderOf('samples');

test.skipIf(!samples)(
  'a folder of real X-rays, CT sub-volumes and a whole CT is trained on as it lies there (UNIMISS_SAMPLES)',
  async () => {
    const folder = temporaryFolder('samples');
    const config = smallConfig('', (c) => {
      c.data = { paths: samples!, cache: `${folder}/cache` };
      c.train = { ...c.train, epochs: 2, stepsPerEpoch: 6 };
    });
    const { code, stderr } = await unimiss(folder, ['pretrain', writeConfig(folder, config)]);
    expect(code, stderr).toBe(0);
    const records = recordsOf(onlyRun(folder));
    const steps = records.filter((r) => r.kind === 'step');
    expect(new Set(steps.map((s) => s.group))).toEqual(new Set(['2D', '3D']));
    expect(steps.every((s) => Number.isFinite(s.loss) && s.values.gradientNorm! > 0)).toBe(true);
    const notices = records.flatMap((r) => (r.kind === 'event' && r.event === 'notice' ? [r.message] : []));
    expect(notices.join('\n')).toMatch(/resampled to 3×1×1 mm/);
    expect(records.filter((r) => r.kind === 'event' && r.event === 'broken')).toEqual([]);
  },
  120_000,
);
