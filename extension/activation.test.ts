import { build } from 'esbuild';
import { beforeEach, expect, it, vi } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { extensionBundle } from '../scripts/bundles.mjs';
import * as parts from '../test/extension/vscode.ts';

const bundle = await build({
  ...extensionBundle,
  ...{ entryPoints: ['extension/main.ts'], outdir: 'dist', sourcemap: false },
  write: false,
  metafile: true,
});
const { contents, text } = bundle.outputFiles[0]!;

/** What the bundle loads, with an editor that counts what is registered. */
let loaded: string[] = [];
let registered: Map<string, (...args: unknown[]) => unknown>;
let opened: number;
let openTexts: { fileName: string }[];

function editor() {
  const put = (id: string, thing?: unknown) => {
    if (registered.has(id)) throw new Error(`${id} is there twice`);
    registered.set(id, thing as never);
    return new parts.Disposable(() => registered.delete(id));
  };
  return {
    ...parts,
    window: {
      createTreeView: (id: string) => put(id),
      registerCustomEditorProvider: (id: string) => put(id),
      registerWebviewPanelSerializer: (id: string) => put(id),
    },
    workspace: {
      registerFileSystemProvider: (scheme: string) => put(`${scheme}:`),
      onDidOpenTextDocument: (listener: () => unknown) => put('text opened', listener),
      textDocuments: openTexts,
    },
    commands: {
      registerCommand: put,
      executeCommand: (id: string, ...args: unknown[]) => registered.get(id)!(...args),
    },
  };
}

/** Loads and activates it. @param kept what earlier windows left */
function activate(kept: Record<string, unknown> = {}) {
  const vscode = editor();
  const openWhole = () => {
    opened++;
    for (const { command } of manifest.contributes.commands)
      vscode.commands.registerCommand(command, (...args: unknown[]) => `${command}(${args})`);
    return {};
  };
  const load = (name: string) => {
    loaded.push(name);
    if (name === 'vscode') return vscode;
    if (name === 'node:module') return { createRequire: () => load };
    if (name === './whole.cjs') return { openWhole };
    throw new Error(`activation loads ${name}`);
  };
  const module = { exports: {} as { activate(extension: unknown): void } };
  new Function('module', 'exports', 'require', '__filename', text)(module, module.exports, load, '/dist/main.cjs');
  module.exports.activate({
    extension: { packageJSON: manifest },
    globalState: { get: (key: string, usual: unknown) => kept[key] ?? usual },
    subscriptions: [],
  });
}

beforeEach(() => {
  [loaded, registered, opened, openTexts] = [[], new Map(), 0, []];
});

it('is small, and loads nothing but the interface of the editor', () => {
  expect(contents.length).toBeLessThan(12_000);
  // Types, schemas of messages, and packages would be there.
  expect(Object.keys(bundle.metafile.inputs).filter((file) => !file.startsWith('extension/'))).toEqual([]);
  vi.useFakeTimers();
  activate();
  vi.runAllTimers();
  vi.useRealTimers();
  expect(new Set(loaded)).toEqual(new Set(['vscode', 'node:module']));
  expect(opened).toBe(0);
});

it('has a door for everything that package.json declares', () => {
  activate();
  const { commands, views, customEditors } = manifest.contributes;
  const schemes = manifest.activationEvents.flatMap((event) => /^onFileSystem(:.*)/.exec(event)?.[1] ?? []);
  const declared = [
    ...commands.map(({ command }) => command),
    ...Object.values(views).flatMap((some) => some.map(({ id }) => id)),
    ...customEditors.map(({ viewType }) => viewType),
    ...schemes.map((scheme) => `${scheme.slice(1)}:`),
  ];
  expect(declared.length).toBeGreaterThan(60);
  expect(declared.filter((id) => !registered.has(id))).toEqual([]);
});

it('loads the whole once, with the first command, and calls the real one', () => {
  activate();
  const first = registered.get('unimiss.startPretraining')!;
  expect(first('file')).toBe('unimiss.startPretraining(file)');
  expect(registered.get('unimiss.showLog')!()).toBe('unimiss.showLog()');
  expect(opened).toBe(1);
});

it('loads the whole with a configuration, and in a window that shows something again', () => {
  vi.useFakeTimers();
  activate();
  registered.get('text opened')!({ fileName: '/a/notes.json' });
  expect(opened).toBe(0);
  registered.get('text opened')!({ fileName: '/a/chest.unimiss.jsonc' });
  expect(opened).toBe(1);
  const again: [Record<string, unknown>, string[]][] = [
    [{ 'unimiss.training': true }, []],
    [{ 'unimiss.connectedMachines': ['gpu'] }, []],
    [{}, ['/a/chest.unimiss.jsonc']],
  ];
  for (const [kept, names] of again) {
    opened = 0;
    registered = new Map();
    openTexts = names.map((fileName) => ({ fileName }));
    activate(kept);
    expect(opened).toBe(0); // not within activation
    vi.runAllTimers();
    expect(opened).toBe(1);
  }
  vi.useRealTimers();
});
