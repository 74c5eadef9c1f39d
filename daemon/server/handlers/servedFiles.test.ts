import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
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
