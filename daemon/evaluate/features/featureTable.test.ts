import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readFeatureTable } from './featureTable.ts';
import { encodeNpy } from './npy.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-features-'));
afterAll(() => rmSync(folder, { recursive: true }));
const features = Float32Array.of(1, 2, 3, 4, 5, 6);
writeFileSync(join(folder, 'features-2D.npy'), encodeNpy(features, 2, 3));
const table = (text: string) => writeFileSync(join(folder, 'features-2D.csv'), text);

it('features come with the images that they are of', async () => {
  table('path,label\n/a.png,cat\n/b.png,\n');
  const rows = [
    { path: '/a.png', label: 'cat' },
    { path: '/b.png', label: '' },
  ];
  expect(await readFeatureTable(folder, '2D')).toMatchObject({ features, featureLength: 3, rows });
});

it.each([
  ['path,label\n/a.png,cat\n', 'has 1 image, but the features are of 2'],
  ['file,label\n/a.png,cat\n/b.png,\n', 'has no columns `path` and `label`'],
  ['path,label\n/a.png\n', 'is not a table'],
])('a table that does not belong to them is refused: %j', async (text, what) => {
  table(text);
  await expect(readFeatureTable(folder, '2D')).rejects.toThrow(`features-2D.csv: ${what}`);
});
