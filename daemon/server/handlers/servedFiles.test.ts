import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { UnimissError } from '../../../protocol/errors.ts';
import type { RunRegistry } from '../feeds/runRegistry.ts';
import { ServedFiles } from './servedFiles.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'um-served-')));
afterAll(() => rmSync(base, { recursive: true }));

it('a run that is gone meanwhile hides nothing of the others', async () => {
  const data = join(base, 'data');
  mkdirSync(data);
  const registry = {
    root: join(base, 'runs'),
    list: async () => ({ runs: [{ folder: 'gone' }, { folder: 'there' }] }),
    find: async (folder: string) => {
      if (folder === 'gone') throw new UnimissError('run', 'is not there');
      return { config: { data: { paths: data } } };
    },
  } as unknown as RunRegistry;
  const served = new ServedFiles(registry);
  expect(await served.check(data)).toBe(data);
  await expect(served.check(base)).rejects.toThrow('is not among the files');
});

/** Of one run with this data. */
function servedOf(data: object): ServedFiles {
  const run = { config: { data } };
  return new ServedFiles({
    root: join(base, 'runs'),
    list: async () => ({ runs: [{ folder: 'one' }] }),
    find: async () => run,
  } as unknown as RunRegistry);
}

it('of a list in the home folder, only the files that it names', async () => {
  const home = join(base, 'home');
  for (const folder of ['ct', 'series/deeper', '.ssh']) mkdirSync(join(home, folder), { recursive: true });
  for (const file of ['ct/1.nii', 'ct/2.nii', 'series/IM1', 'series/deeper/x', '.ssh/key'])
    writeFileSync(join(home, file), '');
  symlinkSync(join(home, 'ct/1.nii'), join(home, 'linked.nii'));
  const manifest = join(home, 'list.csv');
  writeFileSync(manifest, 'path\nlinked.nii\nseries\n');
  const served = servedOf({ manifest });
  const there = (path: string) => served.check(join(home, path));
  for (const path of ['list.csv', 'linked.nii', 'ct/1.nii', 'series', 'series/IM1'])
    expect(await there(path)).toContain(home);
  for (const path of ['.', '.ssh', '.ssh/key', 'ct', 'ct/2.nii', 'series/deeper/x'])
    await expect(there(path)).rejects.toThrow('is not among the files');
  // A list that has changed is read again.
  writeFileSync(manifest, 'path\nct/2.nii\n');
  utimesSync(manifest, 1, 1);
  expect(await there('ct/2.nii')).toBe(join(home, 'ct/2.nii'));
  await expect(there('ct/1.nii')).rejects.toThrow('is not among the files');
});

it('of a single image, and of a table for fine-tuning, not the folder around it', async () => {
  const home = join(base, 'other');
  mkdirSync(home);
  for (const file of ['1.png', '2.png', 'secret']) writeFileSync(join(home, file), '');
  writeFileSync(join(home, 'table.csv'), 'path,label\n1.png,a\n2.png,b\n');
  for (const served of [
    servedOf({ paths: [join(home, '1.png')] }),
    servedOf({ path: join(home, 'table.csv'), layout: 'auto' }),
  ]) {
    expect(await served.check(join(home, '1.png'))).toBe(join(home, '1.png'));
    await expect(served.check(join(home, 'secret'))).rejects.toThrow('is not among the files');
    await expect(served.check(home)).rejects.toThrow('is not among the files');
  }
});
