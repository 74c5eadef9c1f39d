import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { pruneFolder } from './pruneFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-prune-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('removes what was not used for longest, and neither what is kept nor other files', async () => {
  const files = ['a', 'b', 'c', 'd'].map((name) => join(folder, `${name}.copy`));
  for (const [i, file] of files.entries()) {
    writeFileSync(file, Buffer.alloc(100));
    utimesSync(file, 1000 + i, 1000 + i);
  }
  const other = join(folder, 'other');
  writeFileSync(other, Buffer.alloc(1000));
  const [a = '', b = ''] = files;
  const there = () => files.map((file) => existsSync(file));
  expect(await pruneFolder(folder, { names: /copy$/, maxBytes: 400 })).toEqual({ files: 0, bytes: 0 });
  expect(await pruneFolder(folder, { names: /copy$/, maxBytes: 350, keep: new Set([a]) })).toEqual({
    files: 1,
    bytes: 100,
  });
  expect(there()).toEqual([true, false, true, true]);
  expect(existsSync(other)).toBe(true);
  utimesSync(a, 5000, 5000);
  expect(await pruneFolder(folder, { names: /copy$/, maxBytes: 120 })).toEqual({ files: 2, bytes: 200 });
  expect(there()).toEqual([true, false, false, false]);
  expect(existsSync(b)).toBe(false);
});
