import { describe, expect, it } from 'vitest';
import { temporaryFolder, unimiss } from './trainer.ts';

interface Probe {
  readonly gain: { readonly difference: number; readonly low: number; readonly high: number };
}

// What the demo is for must not hang on its seed: other phantoms, other first weights.
describe.each([1, 2, 3])('the demo with seed %i', (seed) => {
  it('learns volumes and pictures: the probe of fresh phantoms gains, and the interval of the gain is above 0', async () => {
    const own = temporaryFolder('demo');
    const { code, stdout, stderr } = await unimiss(own, ['demo', '--seed', String(seed), '--json']);
    expect((await unimiss(own, ['daemon', 'stop', '--stop-runs'])).code).toBe(0);
    expect(code, stderr).toBe(0);
    const records = stdout
      .trim()
      .split('\n')
      .map((line): { modality?: string; probe?: Probe } => JSON.parse(line));
    for (const modality of ['2D', '3D']) {
      const probe = records.find((record) => record.modality === modality && record.probe)?.probe;
      expect(probe?.gain.low, modality).toBeGreaterThan(0);
    }
  }, 3_600_000);
});
