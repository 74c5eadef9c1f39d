import fc from 'fast-check';
import { expect, it, vi } from 'vitest';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { dataSetsIn, DatasetStore } = await import('./datasetStore.ts');
const { NoDaemonHere } = await import('../client/noDaemonHere.ts');

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

it.each([
  [new NoDaemonHere('daemon', 'this package has no native module'), { state: 'unchecked' }],
  [new Error('no such folder'), { state: 'failed', why: 'no such folder' }],
])('a data set is not wrong because this machine has no daemon: %s', async (error, found) => {
  const store = new DatasetStore({} as never, { request: () => Promise.reject(error) } as never);
  for (const labelled of [false, true]) {
    const set = { path: `/there/${labelled}`, labelled, added: false };
    expect(store.look(set)).toEqual({ state: 'looking' });
    await new Promise<void>((looked) => store.onDidChange(() => looked()));
    expect(store.look(set)).toEqual(found);
  }
  store.dispose();
});
