import { describe, expect, it } from 'vitest';
import { temporaryFolder, unimiss } from './trainer.ts';

interface Linear {
  readonly accuracy: number;
  readonly interval: readonly [number, number];
}

// What the demo is for must not hang on its seed: other phantoms, other first weights.
describe.each([1, 2, 3])('the demo with seed %i', (seed) => {
  it('learns volumes and pictures: the probe of fresh phantoms gains, beyond both intervals', async () => {
    const own = temporaryFolder('demo');
    const { code, stdout, stderr } = await unimiss(own, ['demo', '--seed', String(seed), '--json']);
    expect((await unimiss(own, ['daemon', 'stop', '--stop-runs'])).code).toBe(0);
    expect(code, stderr).toBe(0);
    const records = stdout
      .trim()
      .split('\n')
      .map((line): { modality?: string; probe?: { before: Linear; after: Linear } } => JSON.parse(line));
    for (const modality of ['2D', '3D']) {
      const probe = records.find((record) => record.modality === modality && record.probe)?.probe;
      expect(probe?.after.interval[0]).toBeGreaterThan(probe?.before.interval[1] ?? 1);
    }
  }, 3_600_000);
});
