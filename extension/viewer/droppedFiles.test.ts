import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { isInside } from '../../protocol/insideFolder.ts';
import { addDropped } from './droppedFiles.ts';

/** The folder that is open, and what the user was asked. */
const editor = vi.hoisted(() => ({ workspace: '', asked: [] as string[], answer: undefined as string | undefined }));

vi.mock('vscode', async () => {
  class Uri {
    constructor(
      readonly scheme: string,
      readonly authority: string,
      readonly path: string,
    ) {}
    static file = (path: string) => new Uri('file', '', path);
    static from = ({ scheme, authority, path }: Uri) => new Uri(scheme, authority, path);
    static parse(text: string) {
      const { protocol, host, pathname } = new URL(text);
      return new Uri(protocol.slice(0, -1), host, decodeURIComponent(pathname));
    }
    get fsPath() {
      return this.path;
    }
  }
  return {
    ...(await import('../../test/extension/vscode.ts')),
    Uri,
    window: {
      showWarningMessage: async (question: string) => {
        editor.asked.push(question);
        return editor.answer;
      },
    },
    workspace: {
      getWorkspaceFolder: ({ path }: Uri) =>
        editor.workspace !== '' && isInside(editor.workspace, path) ? { uri: Uri.file(editor.workspace) } : undefined,
    },
  };
});
const { Uri } = await import('vscode');

const base = realpathSync(mkdtempSync(join(tmpdir(), 'um-dropped-')));
afterAll(() => rmSync(base, { recursive: true }));
const at = (path: string) => join(base, path);
for (const folder of ['set/imagesTr', 'set/labelsTr', 'set/labelsTs', 'set/private', 'elsewhere', 'open'])
  mkdirSync(at(folder), { recursive: true });
for (const file of ['set/imagesTr/x_0000.nii', 'set/labelsTr/x.nii', 'set/labelsTs/x.nii', 'set/private/x.nii'])
  writeFileSync(at(file), '');
for (const file of ['elsewhere/secret.nii', 'open/..mask.nii', 'set/imagesTr/y.nii']) writeFileSync(at(file), '');
for (const folder of ['set/labelsTr', 'open']) symlinkSync(at('elsewhere/secret.nii'), at(`${folder}/link.nii`));
symlinkSync(at('set'), at('way'));

beforeEach(() => {
  editor.workspace = '';
  editor.asked = [];
  editor.answer = undefined;
});

/** @returns the layers that were added */
async function drop(file: string, image = Uri.file(at('set/imagesTr/x_0000.nii'))): Promise<string[]> {
  const layers: string[] = [];
  const document = { uri: image, name: 'x_0000.nii', addLayer: async (path: string) => void layers.push(path) };
  await addDropped(document as never, [file.includes('://') ? file : pathToFileURL(file).href]);
  return layers;
}

it.each(['set/imagesTr/y.nii', 'set/labelsTr/x.nii'])('%s belongs to the image', async (file) => {
  expect(await drop(at(file))).toEqual([at(file)]);
  expect(editor.asked).toEqual([]);
});

it.each(['set/private/x.nii', 'set/labelsTs/x.nii', 'set/labelsTr/link.nii', 'elsewhere/secret.nii', 'set/gone.nii'])(
  '%s needs the user',
  async (file) => {
    expect(await drop(at(file))).toEqual([]);
    expect(editor.asked).toHaveLength(1);
    editor.answer = 'Draw';
    expect(await drop(at(file))).toEqual([at(file)]);
  },
);

it('in the workspace, too, a link counts as what it leads to', async () => {
  editor.workspace = at('open');
  expect(await drop(at('open/..mask.nii'))).toEqual([at('open/..mask.nii')]);
  expect(editor.asked).toEqual([]);
  expect(await drop(at('open/link.nii'))).toEqual([]);
  expect(editor.asked).toEqual(['Draw link.nii over x_0000.nii?']);
});

it('an image that was opened through a link has its labels all the same', async () => {
  const image = Uri.file(at('way/imagesTr/x_0000.nii'));
  expect(await drop(at('way/labelsTr/x.nii'), image)).toEqual([at('way/labelsTr/x.nii')]);
  expect(editor.asked).toEqual([]);
});

it('a file of another machine is no overlay; one of the same machine needs the user', async () => {
  const there = Uri.from({ scheme: 'unimiss', authority: 'gpu1', path: '/ct/x.nii' } as never);
  const refused = { code: 'data', what: 'lies on another machine than the image that is open' };
  await expect(drop(at('set/labelsTr/x.nii'), there)).rejects.toMatchObject(refused);
  await expect(drop('unimiss://gpu2/ct/x.nii', there)).rejects.toMatchObject(refused);
  await expect(drop('unimiss://gpu1/ct/x.nii')).rejects.toMatchObject(refused);
  await expect(drop('http://host/x.nii')).rejects.toThrow('is not a file on the disk');
  expect(await drop('unimiss://gpu1/ct/labels.nii', there)).toEqual([]);
  editor.answer = 'Draw';
  expect(await drop('unimiss://gpu1/ct/labels.nii', there)).toEqual(['/ct/labels.nii']);
  expect(editor.asked).toEqual(['Draw labels.nii over x_0000.nii?', 'Draw labels.nii over x_0000.nii?']);
});
