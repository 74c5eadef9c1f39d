import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeReadOnly, noSmallDisk, onSmallDisk } from '../../test/smallDisk.ts';
import { makeFolder } from './folder.ts';

const dir = mkdtempSync(join(tmpdir(), 'unimiss-folder-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('makes what is missing, with the mode, and is content with what is there', async () => {
  const folder = join(dir, 'a/b/c');
  await makeFolder(folder, { mode: 0o700 });
  for (const each of [folder, join(dir, 'a/b'), join(dir, 'a')]) expect(statSync(each).mode & 0o777).toBe(0o700);
  await makeFolder(folder);
  symlinkSync(folder, join(dir, 'link'));
  await makeFolder(join(dir, 'link/d/'));
  expect(statSync(join(folder, 'd')).isDirectory()).toBe(true);
});

it('lets many make the same folder at once', async () => {
  await Promise.all(Array.from({ length: 20 }, () => makeFolder(join(dir, 'x/y/z'))));
  expect(statSync(join(dir, 'x/y/z')).isDirectory()).toBe(true);
});

it('refuses with the reason: a file or a dangling link in the way', async () => {
  writeFileSync(join(dir, 'file'), '');
  await expect(makeFolder(join(dir, 'file'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(makeFolder(join(dir, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  symlinkSync(join(dir, 'nowhere'), join(dir, 'dangling'));
  await expect(makeFolder(join(dir, 'dangling'))).rejects.toMatchObject({ code: 'EEXIST' });
});

it.skipIf(process.platform !== 'linux')(
  'names a place that takes no folders, where mkdir would not return',
  async () => {
    await expect(makeFolder('/proc/unimiss/runs')).rejects.toMatchObject({
      code: 'disk',
      message: '/proc: cannot create folders here\n  Choose a folder on a disk.',
    });
  },
);

it.skipIf(noSmallDisk !== undefined)('says that a disk is read-only', () =>
  onSmallDisk(dir, '1m', async (disk) => {
    makeReadOnly(disk);
    await expect(makeFolder(join(disk, 'a/b'))).rejects.toMatchObject({ code: 'EROFS' });
  }),
);
