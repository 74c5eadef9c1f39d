import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { foreignFolder, readOwnFile } from './ownFolder.ts';

const base = mkdtempSync(join(tmpdir(), 'um-own-'));
afterAll(() => rmSync(base, { recursive: true }));

it('a folder is trusted if only this user can have written into it', async () => {
  const folder = join(base, 'kept');
  expect(await foreignFolder(folder)).toBeUndefined(); // it will be made
  mkdirSync(folder, { mode: 0o700 });
  expect(await foreignFolder(folder)).toBeUndefined();
  chmodSync(folder, 0o770);
  expect(await foreignFolder(folder)).toBe('can be written by others (mode 770)');
  chmodSync(folder, 0o755);
  expect(await foreignFolder(folder)).toBeUndefined();
  symlinkSync(folder, join(base, 'link'));
  expect(await foreignFolder(join(base, 'link'))).toBe('is a link or a file, not a folder');
  const own = process.getuid?.() ?? 0;
  const getuid = vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(own + 1);
  expect(await foreignFolder(folder)).toBe(`belongs to user ${own}, not to you (${own + 1})`);
  getuid.mockRestore();
});

it('a file is read if this user has written it, and never through a link', async () => {
  const file = join(base, 'file');
  expect(await readOwnFile(file)).toBeUndefined();
  writeFileSync(file, 'code');
  expect(String(await readOwnFile(file))).toBe('code');
  symlinkSync(file, join(base, 'other'));
  expect(await readOwnFile(join(base, 'other'))).toBeUndefined();
  expect(await readOwnFile(base)).toBeUndefined();
  const own = process.getuid?.() ?? 0;
  const getuid = vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(own + 1);
  expect(await readOwnFile(file)).toBeUndefined();
  getuid.mockRestore();
});
