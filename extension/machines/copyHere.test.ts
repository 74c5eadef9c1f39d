import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { filesList, largestFilePiece } from '../../protocol/files/messages.ts';
import { noSmallDisk, onSmallDisk } from '../../test/smallDisk.ts';
import { copyHere } from './copyHere.ts';

/** Folders (their names) and files (their bytes) of a machine, and when its line is cut. */
const there = vi.hoisted(() => ({ disk: new Map<string, Buffer | string[]>(), cutAfter: Number.POSITIVE_INFINITY }));

vi.mock('vscode', async () => {
  const { mkdirSync } = await import('node:fs');
  class Uri {
    constructor(
      readonly scheme: string,
      readonly path: string,
    ) {}
    static file = (path: string) => new Uri('file', path);
    static from = ({ scheme, path }: Uri) => new Uri(scheme, path);
    static joinPath = ({ scheme, path }: Uri, name: string) => new Uri(scheme, `${path}/${name}`);
    get fsPath() {
      return this.path;
    }
  }
  const at = ({ path }: Uri) => there.disk.get(path) ?? [];
  const fs = {
    stat: async (uri: Uri) => ({ type: Buffer.isBuffer(at(uri)) ? 1 : 2 }),
    readDirectory: async (uri: Uri) => [...at(uri)].map((name) => [name, 0]),
    createDirectory: async ({ path }: Uri) => void mkdirSync(path, { recursive: true }),
  };
  return {
    ...(await import('../../test/extension/vscode.ts')),
    FileType: { File: 1, Directory: 2 },
    Uri,
    workspace: { fs },
  };
});
const { Uri } = await import('vscode');

/** Answers as daemon/server/handlers/files.ts. */
const daemon = {
  request: async (_: unknown, { path, offset }: { path: string; offset: number }) => {
    if (offset >= there.cutAfter) throw new Error('the line was cut');
    const file = there.disk.get(path);
    if (!Buffer.isBuffer(file)) throw new Error(`${path} is no file`);
    return { data: file.subarray(offset, offset + largestFilePiece).toString('base64'), size: file.length };
  },
};

const here = mkdtempSync(join(tmpdir(), 'um-copy-'));
afterAll(() => rmSync(here, { recursive: true }));
const out = join(here, 'out');
const copied = (path: string, to = out) => copyHere(daemon as never, `unimiss://gpu1${path}`, Uri.file(to));
/** Files below a folder. */
const written = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));

beforeEach(() => {
  there.disk.clear();
  there.cutAfter = Number.POSITIVE_INFINITY;
  rmSync(out, { recursive: true, force: true });
});

it('copies a folder with what is in it', async () => {
  there.disk.set('/out', ['a', 'deeper']).set('/out/deeper', ['b', 'empty']);
  there.disk
    .set('/out/a', Buffer.from('A'))
    .set('/out/deeper/b', Buffer.from('B'))
    .set('/out/deeper/empty', Buffer.alloc(0));
  await copied('/out');
  expect(written(out).sort()).toEqual(['a', 'deeper/b', 'deeper/empty']);
  expect(readFileSync(join(out, 'deeper/b'), 'utf8')).toBe('B');
});

it('a large file comes piece by piece; of one that was cut off nothing stays, and the next copy is whole', async () => {
  const bytes = Buffer.alloc(3 * largestFilePiece + 7, 'weights');
  there.disk.set('/out', ['w.safetensors']).set('/out/w.safetensors', bytes);
  there.cutAfter = 2 * largestFilePiece;
  await expect(copied('/out')).rejects.toThrow('the line was cut');
  expect(written(out)).toEqual([]);
  there.cutAfter = Number.POSITIVE_INFINITY;
  await copied('/out');
  expect(written(out)).toEqual(['w.safetensors']);
  expect(readFileSync(join(out, 'w.safetensors')).equals(bytes)).toBe(true);
});

it.skipIf(noSmallDisk)('a full disk is named, and keeps nothing of the file', async () => {
  const folder = join(here, 'full');
  mkdirSync(folder);
  there.disk.set('/w', Buffer.alloc(200_000));
  await onSmallDisk(folder, '64k', async (disk) => {
    const copying = copied('/w', join(disk, 'w'));
    await expect(copying).rejects.toMatchObject({ code: 'disk', details: { place: join(disk, 'w') } });
    await expect(copying).rejects.toThrow(/no space left on device.*\n.*Free some space/is);
    expect(readdirSync(disk)).toEqual([]);
  });
});

it.each(['../../.bashrc', '..', '.', '', '/etc/x', 'a/b', 'a\0b'])('writes nothing for the name %j', async (name) => {
  there.disk.set('/out', [name]).set(`/out/${name}`, Buffer.from('bad'));
  await expect(copied('/out')).rejects.toThrow('has a file whose name this machine cannot have');
  expect(written(here)).toEqual([]);
  const answer = { entries: [{ name, kind: 'file' }], more: false };
  expect(filesList.result.safeParse(answer).success).toBe(false);
});

it('a link to a folder above does not lead round in circles', async () => {
  for (let path = '/out', i = 0; i < 100; i++, path += '/up') there.disk.set(path, ['up']);
  await expect(copied('/out')).rejects.toThrow('nested folders');
});
