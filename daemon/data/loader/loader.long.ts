import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { views2DOptions, views3DOptions } from '../augment/options.ts';
import { openDataset } from '../datasets/unlabelled.ts';
import { writePhantoms } from '../phantoms/write.ts';
import { openLoader } from './index.ts';

const dir = mkdtempSync(join(tmpdir(), 'loader-long-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('memory does not grow with the number of batches', async () => {
  const { manifest } = await writePhantoms(dir, { seed: 1, volumes: 16, images: 0 });
  const loader = openLoader({
    dataset: await openDataset({ manifest }),
    phase: '3D',
    seed: 0,
    workers: 2,
    batch: 2,
    views2D: views2DOptions(),
    views3D: views3DOptions(),
    resample: { spacing: [3, 1, 1], cache: false },
  });
  /** MiB after the batches of these epochs. */
  const afterEpochs = async (first: number, count: number) => {
    for (let epoch = first; epoch < first + count; epoch++) {
      for await (const { views } of loader.epoch(epoch)) expect(views).toHaveLength(4 * 16 * 96 * 96);
    }
    return process.memoryUsage().rss / 2 ** 20;
  };
  const early = await afterEpochs(0, 30);
  const late = await afterEpochs(30, 120);
  await loader.close();
  // A batch has 2.25 MiB: had 960 batches stayed, there would be 2 GiB more.
  expect(late - early).toBeLessThan(100);
});
