import { beforeEach, expect, it, vi } from 'vitest';
import { configKinds } from '../../../protocol/config/index.ts';
import type { RequestContext } from '../wire/handler.ts';
import { LazyLanguageSession } from './lazyLanguageSession.ts';

const loaded = vi.hoisted(() => vi.fn());
vi.mock('./languageSession.ts', async (original) => {
  loaded();
  return original();
});

const failures: unknown[] = [];
const published: unknown[] = [];
beforeEach(() => {
  failures.length = 0;
  published.length = 0;
});

function session() {
  const one = new LazyLanguageSession(
    async (_, params) => {
      published.push(params);
    },
    { kinds: configKinds, forecast: () => new Promise(() => {}) },
    (error) => failures.push(error),
  );
  const hear = (method: string, params: object) => one.listeners.get(method)?.hear(params);
  const hover = (line: number, character: number) =>
    one.handlers
      .get('textDocument/hover')
      ?.answer({ textDocument: { uri }, position: { line, character } }, {} as RequestContext);
  return { one, hear, hover };
}

const uri = 'file:///nowhere/chest.unimiss.jsonc';
const opened = (text: string, name = uri) => ({ textDocument: { uri: name, version: 1, text } });

it('loads its code with the first configuration, and keeps the order of messages', async () => {
  const { one, hear, hover } = session();
  hear('textDocument/didOpen', opened('{', 'file:///nowhere/package.json'));
  hear('textDocument/didSave', { textDocument: { uri } });
  expect(loaded).not.toHaveBeenCalled();
  hear('textDocument/didOpen', opened('{ "model": {} }'));
  const first = hover(0, 4);
  const contentChanges = [{ text: '{\n"train": {} }' }];
  hear('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges });
  expect(await first).toMatchObject({ contents: { value: expect.stringContaining('The network.') } });
  expect(await hover(1, 2)).toMatchObject({ contents: { value: expect.stringContaining('The training.') } });
  expect(loaded).toHaveBeenCalledTimes(1);
  hear('textDocument/didClose', { textDocument: { uri } });
  expect(await hover(1, 2)).toBeNull();
  one.end();
  expect(failures).toEqual([]);
});

it('hears on after a notification that it cannot hear', async () => {
  const { hear, hover } = session();
  hear('textDocument/didOpen', opened('{ "model": {} }'));
  hear('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [null] });
  expect(await hover(0, 4)).not.toBeNull();
  expect(failures).toHaveLength(1);
});
