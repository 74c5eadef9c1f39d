import fc from 'fast-check';
import { expect, it, vi } from 'vitest';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { dataSetsIn } = await import('./datasetStore.ts');

it('reads the data sets that a configuration names', () => {
  const at = (text: string) =>
    dataSetsIn(text, { fsPath: '/work/chest.unimiss.jsonc' }).map(({ path, labelled }) => [path, labelled]);
  expect(at('{ "data": { "paths": ["ct", "/x-rays",], }, // mine\n}')).toEqual([
    ['/work/ct', false],
    ['/x-rays', false],
  ]);
  expect(at('{ "task": "finetune", "data": { "path": "../organs" } }')).toEqual([['/organs', true]]);
  expect(at('{ "data": { "paths": "" } }')).toEqual([]);
  expect(at('not JSON')).toEqual([]);
});

it('takes any text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      for (const { path } of dataSetsIn(text, { fsPath: '/a/b' })) expect(path.startsWith('/')).toBe(true);
    }),
  );
});
