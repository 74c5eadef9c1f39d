import { expect, it } from 'vitest';
import { Random } from '../random.ts';
import type { Image2D, Volume } from '../types.ts';
import { views2DOptions, views3DOptions } from './options.ts';
import { makeViews2D } from './views2D.ts';
import { makeViews3D } from './views3D.ts';

/**
 * One worker must stay ahead of a trainer that takes about 450 ms for two images and 1.5 s for two volumes (`tiny`, 2 cores),
 * while it shares the processor with it. A pair of views usually takes 20 ms. The test measures processor time, so that other
 * load on the machine matters little.
 */
const random = new Random('speed');
const image: Image2D = {
  kind: '2D',
  width: 512,
  height: 512,
  data: Uint8Array.from({ length: 512 * 512 * 3 }, () => random.int(256)),
};
const volume: Volume = {
  kind: '3D',
  shape: [24, 256, 256],
  data: Int16Array.from({ length: 24 * 256 * 256 }, () => random.int(2000) - 1000),
  spacing: [3, 1, 1],
};

it.each([
  ['224×224 from 512×512', 100, (i: number) => makeViews2D(image, views2DOptions(), ['speed', i])],
  ['16×96×96 from 24×256×256', 400, (i: number) => makeViews3D(volume, views3DOptions(), ['speed', i])],
] as const)('makes two views of %s in less than %d ms', (_, limit, make) => {
  for (let i = 0; i < 5; i++) make(i); // until compiled
  const before = process.cpuUsage();
  const pairs = 20;
  for (let i = 0; i < pairs; i++) make(i);
  const used = process.cpuUsage(before);
  expect((used.user + used.system) / 1000 / pairs).toBeLessThan(limit);
});
