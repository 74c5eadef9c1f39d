import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeAtomically, writeTextAtomically } from './atomic.ts';

const dir = mkdtempSync(join(tmpdir(), 'unimiss-atomic-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('a file in place of the folder is named in words', async () => {
  writeFileSync(join(dir, 'file'), '');
  await expect(writeTextAtomically(join(dir, 'file/below'), 'x')).rejects.toMatchObject({
    code: 'disk',
    message: expect.stringContaining('this is a file, not a folder'),
  });
});

it('reports the first error even if the leftovers cannot be removed', async () => {
  const folder = join(dir, 'replaced');
  mkdirSync(folder);
  const refused = writeAtomically(join(folder, 'a'), async () => {
    renameSync(folder, join(dir, 'away'));
    writeFileSync(folder, '');
    throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
  });
  await expect(refused).rejects.toMatchObject({ code: 'disk', message: expect.stringContaining('no permission') });
});

it('leaves nothing of what failed', async () => {
  const folder = join(dir, 'clean');
  mkdirSync(folder);
  const refused = writeAtomically(join(folder, 'a'), () => Promise.reject(new Error('no')));
  await expect(refused).rejects.toThrow('no');
  expect(readdirSync(folder)).toEqual([]);
});
