/** Files from Pillow 13 or a separate encoder (PNG), with the pixels that Pillow reads from them; see pillow/README.md. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { readImage } from './image.ts';
import { toRgb, windowTo8Bit } from './intensity.ts';

const dir = mkdtempSync(join(tmpdir(), 'pillow-'));
afterAll(() => rmSync(dir, { recursive: true }));

const base64 = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
function fixtures<T extends z.ZodRawShape>(name: string, shape: T) {
  const text = readFileSync(new URL(`./pillow/${name}.json`, import.meta.url), 'utf8');
  return z.array(z.object({ name: z.string(), file: base64, ...shape })).parse(JSON.parse(text));
}
async function read(file: Uint8Array) {
  const path = join(dir, 'image');
  writeFileSync(path, file);
  return readImage(path);
}

const png = fixtures('png', { rgb: base64.optional(), samples16: base64.optional() });

it('there is a PNG file of every colour type and depth, plain and interlaced', () => {
  expect(new Set(png.map(({ name }) => name.replace(/_\d+x\d+$/, ''))).size).toBe(42);
});

it.each(png)('pixels of $name are those that Pillow reads', async ({ file, rgb, samples16 }) => {
  const { data } = await read(file);
  expect(data).toEqual(rgb ?? toRgb(windowTo8Bit(new Uint16Array(samples16!.buffer)), 1));
});

const others = fixtures('orientationAndColor', {
  width: z.number(),
  height: z.number(),
  rgb: base64,
  tolerance: z.number(),
});

it.each(others)('$name: upright, and in its colours', async ({ file, width, height, rgb, tolerance }) => {
  const image = await read(file);
  expect([image.width, image.height]).toEqual([width, height]);
  expect(image.data.length).toBe(rgb.length);
  const worst = image.data.reduce((max, value, i) => Math.max(max, Math.abs(value - rgb[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(tolerance);
});
