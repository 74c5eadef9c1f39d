import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { attentionFolder, growingFile, removeLeftovers } from './leftovers.ts';

const storage = mkdtempSync(join(tmpdir(), 'um-leftovers-'));
afterAll(() => rmSync(storage, { recursive: true }));

it('of windows that were killed, only what is old goes', async () => {
  await removeLeftovers(join(storage, 'none'));
  const day = 24 * 60 * 60;
  const now = Date.now();
  const write = (file: string, age: number) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    utimesSync(file, now / 1000 - age, now / 1000 - age);
    return file;
  };
  const attention = attentionFolder(storage, 'a-run');
  const old = [growingFile(storage, 1), join(attention, 'ct.attention.nii.gz'), join(attention, 'x.attention.png')];
  for (const file of old) write(file, day + 60);
  const stays = [
    write(growingFile(storage, 2), day - 60),
    write(join(attention, 'y.attention.png'), 0),
    write(join(storage, 'images', 'a.nii'), 9 * day),
  ];
  await removeLeftovers(storage, now);
  expect([...old, ...stays].map((file) => existsSync(file))).toEqual([false, false, false, true, true, true]);
});
