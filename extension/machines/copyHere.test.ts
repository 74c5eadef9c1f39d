import { beforeEach, expect, it, vi } from 'vitest';
import { filesList } from '../../protocol/daemon/messages.ts';
import { copyHere } from './copyHere.ts';

/** Folders (their names) and files (their texts) of a machine, and what was written here. */
const disk = vi.hoisted(() => ({ there: new Map<string, string | string[]>(), written: new Map<string, string>() }));

vi.mock('vscode', () => {
  class Uri {
    constructor(
      readonly scheme: string,
      readonly path: string,
    ) {}
    static file = (path: string) => new Uri('file', path);
    static from = ({ scheme, path }: Uri) => new Uri(scheme, path);
    static joinPath = ({ scheme, path }: Uri, name: string) => new Uri(scheme, `${path}/${name}`);
    with = ({ path }: { path: string }) => new Uri(this.scheme, path);
  }
  const at = ({ path }: Uri) => disk.there.get(path) ?? [];
  const fs = {
    stat: async (uri: Uri) => ({ type: typeof at(uri) === 'string' ? 1 : 2 }),
    readDirectory: async (uri: Uri) => [...at(uri)].map((name) => [name, 0]),
    readFile: async (uri: Uri) => at(uri),
    createDirectory: async () => {},
    writeFile: async ({ path }: Uri, text: string) => disk.written.set(path, text),
    rename: async (from: Uri, to: Uri) => {
      disk.written.set(to.path, disk.written.get(from.path) ?? '');
      disk.written.delete(from.path);
    },
  };
  return { FileType: { File: 1, Directory: 2 }, l10n: { t: (text: string) => text }, Uri, workspace: { fs } };
});

const { Uri } = await import('vscode');
const copied = (path: string) => copyHere(`unimiss://gpu1${path}`, Uri.file('/here/out'));

beforeEach(() => {
  disk.there.clear();
  disk.written.clear();
});

it('copies a folder with what is in it', async () => {
  disk.there.set('/out', ['a', 'deeper']).set('/out/a', 'A').set('/out/deeper', ['b']).set('/out/deeper/b', 'B');
  await copied('/out');
  expect([...disk.written]).toEqual([
    ['/here/out/a', 'A'],
    ['/here/out/deeper/b', 'B'],
  ]);
});

it.each(['../../.bashrc', '..', '.', '', '/etc/x', 'a/b', 'a\0b'])('writes nothing for the name %j', async (name) => {
  disk.there.set('/out', [name]).set(`/out/${name}`, 'bad');
  await expect(copied('/out')).rejects.toThrow('has a file whose name this machine cannot have');
  expect(disk.written.size).toBe(0);
  const answer = { entries: [{ name, kind: 'file' }], more: false };
  expect(filesList.result.safeParse(answer).success).toBe(false);
});

it('a link to a folder above does not lead round in circles', async () => {
  for (let path = '/out', i = 0; i < 100; i++, path += '/up') disk.there.set(path, ['up']);
  await expect(copied('/out')).rejects.toThrow('folders in each other');
});
