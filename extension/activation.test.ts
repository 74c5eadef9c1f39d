import { build } from 'esbuild';
import { beforeEach, expect, it, vi } from 'vitest';
import type { TreeDataProvider } from 'vscode';
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
/** Why the whole cannot be opened, and what the user was told. */
let refusal: Error | undefined;
let told: string[];

function editor() {
  const put = (id: string, thing?: unknown) => {
    if (registered.has(id)) throw new Error(`${id} is there twice`);
    registered.set(id, thing as never);
    return new parts.Disposable(() => registered.delete(id));
  };
  return {
    ...parts,
    window: {
      createTreeView: (id: string, { treeDataProvider }: { treeDataProvider: unknown }) => put(id, treeDataProvider),
      registerCustomEditorProvider: (id: string) => put(id),
      registerWebviewPanelSerializer: (id: string) => put(id),
      showErrorMessage: async (text: string) => void told.push(text),
    },
    workspace: {
      registerFileSystemProvider: (scheme: string) => put(`${scheme}:`),
      registerTextDocumentContentProvider: (
        scheme: string,
        { provideTextDocumentContent }: { provideTextDocumentContent: () => string },
      ) => put(`text of ${scheme}:`, provideTextDocumentContent),
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
  const openWhole = ({ subscriptions }: { subscriptions: { dispose(): void }[] }) => {
    opened++;
    for (const { command } of manifest.contributes.commands) {
      if (refusal && command === 'unimiss.startPretraining') throw refusal;
      subscriptions.push(
        vscode.commands.registerCommand(command, (...args: unknown[]) => `${command}(${args})`) as never,
      );
    }
    return { resolvedConfigs: { provideTextDocumentContent: ({ query }: { query: string }) => `text of ${query}` } };
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
  const extension = {
    extension: { packageJSON: manifest },
    globalState: { get: (key: string, usual: unknown) => kept[key] ?? usual },
    subscriptions: [] as { dispose(): void }[],
    get extensionRuntime(): never {
      throw new Error('as the editor: this is only for those that it lets use proposals');
    },
  };
  module.exports.activate(Object.freeze(extension));
  return extension;
}

beforeEach(() => {
  [loaded, registered, opened, openTexts] = [[], new Map(), 0, []];
  [refusal, told] = [undefined, []];
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

it('keeps its doors if the whole cannot be opened, says so, and tries again with the next use', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { subscriptions } = activate();
  const doors = new Set(registered.keys());
  refusal = new Error('no space left');
  expect(registered.get('unimiss.showLog')!()).toBeUndefined();
  expect(new Set(registered.keys())).toEqual(doors);
  expect(() => registered.get('text of unimiss-resolved:')!({ query: '/runs/a' })).toThrow('no space left');
  const tree = registered.get('unimiss.runs') as unknown as TreeDataProvider<unknown>;
  let asked = 0;
  tree.onDidChangeTreeData!(() => asked++);
  expect(() => tree.getChildren()).toThrow('no space left');
  await Promise.resolve();
  const text =
    'UniMiSS could not start in this window: no space left. Try again. If it fails again, reload the window.';
  expect(told).toEqual([text, text, text]);
  expect(logged.mock.calls).toEqual([[refusal], [refusal], [refusal]]);
  logged.mockRestore();
  refusal = undefined;
  expect(registered.get('unimiss.showLog')!()).toBe('unimiss.showLog()');
  expect(opened).toBe(4);
  expect(asked).toBe(1);
  // All of it ends with the window.
  for (const one of subscriptions) one.dispose();
  expect(registered.has('unimiss.showLog')).toBe(false);
});

it('has the resolved configuration of a run, before any other use', () => {
  activate();
  expect(registered.get('text of unimiss-resolved:')!({ query: '/runs/a' })).toBe('text of /runs/a');
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
