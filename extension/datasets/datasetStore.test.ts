import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { UnimissError } from '../../protocol/errors.ts';
import { EventEmitter } from '../../test/extension/vscode.ts';

/** The texts of the workspace's configurations. */
const configurations = vi.hoisted(() => new Map<string, string>());
vi.mock('vscode', async () => {
  const vscode = await import('../../test/extension/vscode.ts');
  const { Uri, workspace } = vscode;
  const fs = {
    stat: async ({ fsPath }: { fsPath: string }) => ({ size: configurations.get(fsPath)!.length }),
    readFile: async ({ fsPath }: { fsPath: string }) => Buffer.from(configurations.get(fsPath)!),
  };
  const findFiles = async () => [...configurations.keys()].map((path) => Uri.file(path));
  return { ...vscode, RelativePattern: class {}, workspace: { ...workspace, fs, findFiles, workspaceFolders: [{}] } };
});

const { dataSetsIn, DatasetStore, idOf } = await import('./datasetStore.ts');
const { NoDaemonHere } = await import('../client/noDaemonHere.ts');

it('reads the data sets that a configuration names', () => {
  const at = (text: string) =>
    dataSetsIn(text, { fsPath: '/study/chest.unimiss.jsonc' }).map(({ path, kind }) => [path, kind]);
  expect(at('{ "data": { "paths": ["ct", "/x-rays",], }, // mine\n}')).toEqual([
    ['/study/ct', 'images'],
    ['/x-rays', 'images'],
  ]);
  expect(at('{ "task": "finetune", "data": { "path": "../organs" } }')).toEqual([['/organs', 'labelled']]);
  expect(at('{ "data": { "manifest": "lists/all.csv" } }')).toEqual([['/study/lists/all.csv', 'manifest']]);
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
  [
    new UnimissError('data', 'is not JSON', { place: '/there/images:3' }),
    { state: 'failed', why: 'line 3: is not JSON' },
  ],
  [new Error('/there/images-2: does not exist'), { state: 'failed', why: '/there/images-2: does not exist' }],
])('a data set is not wrong because this machine has no daemon: %s', async (error, found) => {
  const request = () => Promise.reject(error);
  const store = new DatasetStore({} as never, { request, onDidConnect: new EventEmitter<void>().event } as never);
  for (const kind of ['images', 'manifest', 'labelled'] as const) {
    const set = { path: '/there/images', kind, added: false };
    expect(store.look(set)).toEqual({ state: 'looking' });
    await new Promise<void>((looked) => store.onDidChange((id) => id === idOf(set) && looked()));
    expect(store.look(set)).toEqual(found);
  }
  store.dispose();
});

it('a file is listed and looked at as each thing that configurations name it as', async () => {
  const path = '/study/list.csv';
  configurations.set('/study/a.unimiss.jsonc', '{ "data": { "paths": ["list.csv"] } }');
  configurations.set('/study/b.unimiss.jsonc', '{ "data": { "path": "list.csv" } }');
  configurations.set('/study/c.unimiss.jsonc', '{ "data": { "path": "list.csv" } }');
  const forecast = { images: [{ what: 'volume', count: 2 }], unreadable: { count: 0, first: [] }, skipped: 0 };
  const request = async (_type: unknown, { from }: { from?: { config: string } }) => {
    if (!from) return { about: '2 cases', findings: [] };
    if (from.config.includes('manifest')) return { ...forecast, concerns: [] };
    throw new UnimissError('data', 'is no image', { place: path });
  };
  const memento = { get: () => [path, '/study/more'] };
  const store = new DatasetStore(memento as never, { request, onDidConnect: new EventEmitter<void>().event } as never);
  const looks = async () => {
    const sets = await store.list();
    await Promise.all(sets.map((set) => store.lookAgain(set)));
    return sets.map((set) => [set.path, set.kind, set.added, store.look(set)]);
  };
  const failed = { state: 'failed', why: 'is no image' };
  const known = (about: string) => ({ state: 'known', about, findings: [] });
  expect(await looks()).toEqual([
    [path, 'images', false, failed],
    [path, 'labelled', false, known('2 cases')],
    ['/study/more', 'images', true, { state: 'failed', why: `${path}: is no image` }],
  ]);
  // Corrected: what it was looked at as before does not count.
  configurations.set('/study/a.unimiss.jsonc', '{ "data": { "manifest": "list.csv" } }');
  const [labelled, manifest] = await store.list();
  expect([labelled?.kind, manifest?.kind]).toEqual(['labelled', 'manifest']);
  expect(store.look(manifest!)).toEqual({ state: 'looking' });
  expect((await looks())[1]).toEqual([path, 'manifest', false, known('2 volumes')]);
  configurations.clear();
  store.dispose();
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
  store.onDidChange((id) => drawn.push(id));
  connected.fire();
  expect(drawn).toEqual([idOf(set)]);
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
