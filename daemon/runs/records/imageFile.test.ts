import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { imageFile } from './imageFile.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-image-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const name of ['ct/a', 'xray']) mkdirSync(join(folder, name), { recursive: true });
for (const name of ['ct/a/1.nii', 'xray/2.png', 'xray/3.png', 'secret.txt']) writeFileSync(join(folder, name), '');
writeFileSync(join(folder, 'list.csv'), 'path\nct/a/1.nii\n');

const runOf = (data: unknown, records = {}) => ({
  id: 'chest-1',
  config: resolveConfig(parseConfig(JSON.stringify({ data, records }), 'a'), { baseDir: folder }),
});

it.each([
  [{ paths: ['ct', 'xray'] }, 'ct/a/1.nii'],
  [{ paths: ['ct', 'xray'] }, 'xray/2.png'],
  [{ paths: 'ct' }, 'a/1.nii'],
  [{ paths: 'xray/2.png' }, '2.png'],
  [{ manifest: 'list.csv' }, 'ct/a/1.nii'],
])('finds an image of %j by its name %s', async (data, image) => {
  const file = await imageFile(runOf(data), image);
  expect(file.startsWith(folder) && file.endsWith(image)).toBe(true);
});

it('finds nothing outside the data, nothing that is gone, and nothing where names are hidden', async () => {
  await expect(imageFile(runOf({ paths: 'ct' }), '../secret.txt')).rejects.toThrow(/not among the images of the run/);
  await expect(imageFile(runOf({ manifest: 'list.csv' }), 'secret.txt')).rejects.toThrow(/not among the images/);
  await expect(imageFile(runOf({ paths: 'xray/2.png' }), '3.png')).rejects.toThrow(/not among the images/);
  await expect(imageFile(runOf({ paths: 'ct' }), 'b.nii')).rejects.toThrow(
    /b\.nii.*not among[\s\S]*reads its images from/,
  );
  await expect(imageFile(runOf({ paths: 'ct' }, { hidePaths: true }), 'a/1.nii')).rejects.toThrow(/is hidden/);
});
