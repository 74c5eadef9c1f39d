import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { RunFolder } from './runFolder.ts';
import { settingsOf } from './settings.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'unimiss-settings-'));
});
afterAll(() => rm(root, { recursive: true }));

async function settings(more: string) {
  const text = `{ "name": "a", "data": { "paths": ["/images/ct"] }, "train": { "lr": 0.05 }${more} }`;
  return settingsOf(await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'a'), { baseDir: '/' })));
}

test('a configuration by field, as text', async () => {
  expect(await settings('')).toMatchObject({
    ...{ name: 'a', 'train.lr': '0.05', 'records.previews': 'true', 'data.paths': '["/images/ct"]' },
    'train.initialWeights': 'null',
  });
});

test('paths are hidden where records hide them', async () => {
  const hidden = await settings(', "records": { "hidePaths": true }');
  expect(hidden).toMatchObject({ 'data.paths': '["hidden"]', 'train.lr': '0.05' });
  expect(JSON.stringify(hidden)).not.toContain('/images');
});
