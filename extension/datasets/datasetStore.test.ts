import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { EventEmitter } from '../../test/extension/vscode.ts';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { dataSetsIn, DatasetStore } = await import('./datasetStore.ts');
const { NoDaemonHere } = await import('../client/noDaemonHere.ts');

it('reads the data sets that a configuration names', () => {
  const at = (text: string) =>
    dataSetsIn(text, { fsPath: '/work/chest.unimiss.jsonc' }).map(({ path, kind }) => [path, kind]);
  expect(at('{ "data": { "paths": ["ct", "/x-rays",], }, // mine\n}')).toEqual([
    ['/work/ct', 'images'],
    ['/x-rays', 'images'],
  ]);
  expect(at('{ "task": "finetune", "data": { "path": "../organs" } }')).toEqual([['/organs', 'labelled']]);
  expect(at('{ "data": { "manifest": "lists/all.csv" } }')).toEqual([['/work/lists/all.csv', 'manifest']]);
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
  [new Error('/there/images: does not exist'), { state: 'failed', why: 'does not exist' }],
])('a data set is not wrong because this machine has no daemon: %s', async (error, found) => {
  for (const kind of ['images', 'manifest', 'labelled'] as const) {
    const store = new DatasetStore(
      {} as never,
      { request: () => Promise.reject(error), onDidConnect: new EventEmitter<void>().event } as never,
    );
    const set = { path: '/there/images', kind, added: false };
    expect(store.look(set)).toEqual({ state: 'looking' });
    await new Promise<void>((looked) => store.onDidChange(() => looked()));
    expect(store.look(set)).toEqual(found);
    store.dispose();
  }
});

it('a data set is looked at again once the daemon is there', async () => {
  const connected = new EventEmitter<void>();
  const image = { what: '2D image', count: 8 };
  const forecast = { images: [image], unreadable: { count: 0, first: [] }, skipped: 0, concerns: [] };
  const request = vi.fn().mockRejectedValueOnce(new Error('not responding')).mockResolvedValue(forecast);
  const store = new DatasetStore({} as never, { request, onDidConnect: connected.event } as never);
  const set = { path: '/images', kind: 'images' as const, added: false };
  const looked = async () => {
    store.look(set);
    const changes: { dispose(): unknown }[] = [];
    await new Promise<void>((told) =>
      changes.push(store.onDidChange(() => store.look(set).state !== 'looking' && told())),
    );
    changes[0]!.dispose();
    return store.look(set);
  };
  expect(await looked()).toEqual({ state: 'failed', why: 'not responding' });
  const drawn: (string | undefined)[] = [];
  store.onDidChange((path) => drawn.push(path));
  connected.fire();
  expect(drawn).toEqual(['/images']);
  expect(await looked()).toEqual({ state: 'known', about: '8 2D images', findings: [] });
  connected.fire(); // what is known stays
  expect(store.look(set).state).toBe('known');
  expect(request).toHaveBeenCalledTimes(2);
  store.dispose();
});

it.each([
  ['images', '/a/ct', { paths: '/a/ct' }],
  ['manifest', '/a/list.csv', { manifest: '/a/list.csv' }],
] as const)('the daemon looks at %s as a configuration names them', async (kind, path, data) => {
  const asked: { from: { config: string; file: string } }[] = [];
  const request = (_type: unknown, params: (typeof asked)[0]) => {
    asked.push(params);
    return Promise.reject(new Error('enough'));
  };
  const store = new DatasetStore({} as never, { request, onDidConnect: new EventEmitter<void>().event } as never);
  await store.lookAgain({ path, kind, added: false });
  expect(asked.map(({ from }) => ({ ...from, config: JSON.parse(from.config) }))).toEqual([
    { config: { data: { ...data, maxBroken: 1 } }, file: '/a/survey.unimiss.jsonc' },
  ]);
  store.dispose();
});
