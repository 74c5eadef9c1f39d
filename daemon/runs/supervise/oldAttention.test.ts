import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { removeOldAttention } from './oldAttention.ts';

const base = mkdtempSync(join(tmpdir(), 'um-attention-'));
afterAll(() => rmSync(base, { recursive: true }));

it('maps of attention that are a day old are removed, and nothing else', async () => {
  const root = join(base, 'runs');
  for (const folder of ['runs/a/attention', 'runs/linked', 'kept']) mkdirSync(join(base, folder), { recursive: true });
  symlinkSync(join(base, 'kept'), join(root, 'linked/attention'));
  writeFileSync(join(root, 'not-a-run'), '');
  const now = new Date();
  const write = (path: string, hours: number) => {
    const file = join(base, path);
    writeFileSync(file, '');
    utimesSync(file, now.getTime() / 1000 - 3600 * hours, now.getTime() / 1000 - 3600 * hours);
    return file;
  };
  const old = [write('runs/a/attention/ct.attention.nii.gz', 25), write('runs/a/attention/x.attention.png', 25)];
  const stays = [
    write('runs/a/attention/ct2.attention.nii.gz', 23),
    write('runs/a/attention/own.nii.gz', 99),
    write('kept/y.attention.png', 99),
  ];
  const warnings: string[] = [];
  await removeOldAttention(root, now, (_, message) => warnings.push(message));
  expect([...old, ...stays].map((file) => existsSync(file))).toEqual([false, false, true, true, true]);
  await removeOldAttention(join(base, 'none'), now, (_, message) => warnings.push(message));
  expect(warnings).toEqual([]);
});
