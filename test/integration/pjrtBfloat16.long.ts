import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EnginePrecision } from '../../protocol/config/devices.ts';
import { lackOfPjrt } from '../engine.ts';
import { unbrokenRun } from './killAndResume.ts';
import { fewPhantoms, recordsOf, smallConfig, temporaryFolder } from './trainer.ts';

const STEPS = 500;
/** Steps of which a mean is compared: losses of single steps scatter with their images. */
const WINDOW = 50;

describe.skipIf(lackOfPjrt)('500 steps on pjrt:cpu', () => {
  test('with factors in bfloat16 have a curve beside that of float32', async () => {
    const manifest = await fewPhantoms(join(temporaryFolder('phantoms'), 'images'), 0, 16);
    const curve = async (precision: EnginePrecision) => {
      const config = smallConfig(manifest, (c) => {
        c.engine = { device: 'pjrt:cpu', precision };
        c.train = { ...c.train, epochs: STEPS / 4, batch: { '2D': 4, '3D': 2 }, warmupEpochs: 10 };
        c.checkpoint = { everyMinutes: null, everyEpochs: null };
      });
      const { run } = await unbrokenRun(config);
      const losses = recordsOf(run).flatMap((record) => (record.kind === 'step' ? [record.loss] : []));
      expect(losses).toHaveLength(STEPS);
      return Array.from({ length: STEPS / WINDOW }, (_, i) => mean(losses.slice(i * WINDOW, (i + 1) * WINDOW)));
    };
    const exact = await curve('float32');
    const rounded = await curve('bfloat16');
    const line = (values: readonly number[]) => values.map((x) => x.toFixed(4)).join(' ');
    console.log(`mean losses of ${WINDOW} steps each\nfloat32  ${line(exact)}\nbfloat16 ${line(rounded)}`);
    const range = Math.max(...exact) - Math.min(...exact);
    expect(range, 'the network learns').toBeGreaterThan(0.1);
    rounded.forEach((loss, i) => {
      expect(Math.abs(loss - (exact[i] ?? 0)), `steps from ${i * WINDOW}`).toBeLessThan(0.1 * range);
    });
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
