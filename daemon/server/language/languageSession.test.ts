import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configKinds } from '../../../protocol/config/index.ts';
import { checkConfig } from '../../../protocol/config/parseConfig.ts';
import { checkDataCommand } from '../../../protocol/language/messages.ts';
import type { Forecast } from '../../../protocol/runs/forecast.ts';
import type { RequestContext } from '../wire/handler.ts';
import { LanguageSession } from './languageSession.ts';

let folder: string;
let uri: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-language-'));
  mkdirSync(join(folder, 'ct'));
  mkdirSync(join(folder, 'x-rays'));
  writeFileSync(join(folder, 'list.csv'), '');
  uri = pathToFileURL(join(folder, 'chest.unimiss.jsonc')).href;
});
afterEach(() => rmSync(folder, { recursive: true }));

const forecast: Forecast = {
  ...{ task: 'pretrain', name: 'chest', images: [{ what: 'volume', count: 7 }] },
  ...{ unreadable: { count: 0, first: [] }, skipped: 0, epochs: 2, steps: 2, phases: [], device: 'AMD EPYC' },
  ...{ time: { seconds: 360, basis: 'estimated', from: 'sizes' }, memory: null, disk: null, notices: [] },
  concerns: [{ severity: 'warning', field: 'train.lr', message: 'is high', remedy: 'Lower it.' }],
};

type Diagnostic = { message: string; severity: number; range: { start: { line: number; character: number } } };

/** A client with one open configuration; `|` in the text is where it points. */
function opened(marked: string, looks: () => Promise<Forecast> = async () => forecast) {
  const published: Diagnostic[][] = [];
  let wake = () => {};
  const session = new LanguageSession(
    async (_, params) => {
      published.push((params as { diagnostics: Diagnostic[] }).diagnostics);
      wake();
    },
    { kinds: configKinds, forecast: looks },
  );
  const at = marked.indexOf('|');
  const text = marked.replace('|', '');
  const before = text.slice(0, at);
  const position = { line: before.split('\n').length - 1, character: at - before.lastIndexOf('\n') - 1 };
  const hear = (method: string, params: object) => session.listeners.get(method)!.hear(params);
  hear('textDocument/didOpen', { textDocument: { uri, version: 1, text } });
  const range = { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } };
  // biome-ignore lint/suspicious/noExplicitAny: answers are as in LSP
  const ask = (method: string, more: object = {}): Promise<any> =>
    session.handlers.get(method)!.answer({ textDocument: { uri }, position, range, ...more }, {} as RequestContext);
  const until = async (wanted: (all: Diagnostic[]) => boolean) => {
    for (;;) {
      const last = published.at(-1);
      if (last && wanted(last)) return last;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { session, text, hear, ask, until, published };
}

/** The text after edits of LSP. */
function edited(text: string, edits: { range: { start: never; end: never }; newText: string }[]): string {
  const lines = text.split('\n');
  const offset = ({ line, character }: { line: number; character: number }) =>
    lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
  return edits.reduce(
    (result, { range, newText }) => result.slice(0, offset(range.start)) + newText + result.slice(offset(range.end)),
    text,
  );
}

describe('completion', () => {
  it('offers the fields of an object, in the order of the schema, with documentation and default', async () => {
    const { ask } = opened('{ "data": { "paths": "ct" }, "train": { | } }');
    const { items } = await ask('textDocument/completion');
    const sorted = [...items].sort((a, b) => a.sortText.localeCompare(b.sortText)).map(({ label }) => label);
    expect(sorted.slice(0, 3)).toEqual(['epochs', 'interval', 'batch']);
    const epochs = items.find(({ label }: { label: string }) => label === 'epochs');
    expect(epochs.documentation.value).toMatch(/Total number of epochs[\s\S]*Default: `200`/);
    expect(epochs.textEdit.newText).toContain('"epochs": ');
  });

  it('offers the fields of the kind that the task names', async () => {
    const { ask } = opened('{ "task": "finetune", | }');
    const { items } = await ask('textDocument/completion');
    expect(items.map(({ label }: { label: string }) => label)).toContain('problem');
  });

  it('offers values, with what the field means', async () => {
    const { ask } = opened('{ "model": { "preset": | } }');
    const { items } = await ask('textDocument/completion');
    const nano = items.find(({ label }: { label: string }) => label === '"nano"');
    expect(nano.documentation.value).toMatch(/`nano` for demonstrations/);
  });

  it('offers folders and files where a field holds a path, folders first', async () => {
    const { ask, text } = opened('{ "data": { "paths": ["|"] } }');
    const { items } = await ask('textDocument/completion');
    expect(items.map(({ label }: { label: string }) => label)).toEqual(['ct/', 'x-rays/', 'list.csv']);
    expect(edited(text, [items[1].textEdit])).toBe('{ "data": { "paths": ["x-rays/"] } }');
  });
});

describe('hover', () => {
  it('says what a field means, its default and what the run uses', async () => {
    const { ask } = opened('{ "data": { "paths": "ct" }, "model": { "pre|set": "nano" } }');
    expect((await ask('textDocument/hover')).contents.value).toMatch(
      /^\*\*`model\.preset`\*\*[\s\S]*Default: `"tiny"`\n\nSource: UniMiSS \(Xie et al\. 2022\), architecture of MiT\.\n\nThis run uses `"nano"`, from this file\.$/,
    );
  });

  it('says which values a run uses that the file leaves out, and what they follow from', async () => {
    const { ask } = opened('{ "data": { "paths": "ct" }, "mo|del": { "preset": "nano" } }');
    const { value } = (await ask('textDocument/hover')).contents;
    expect(value).toContain('- `size2D`: `[64,64]`, which follows from `model.preset` (`"nano"`)');
    expect(value).toContain('- `dropPath`: `0`, the default');
    expect(value).not.toContain('- `preset`');
  });

  it('says what follows from a kind of network, of training or of the machine', async () => {
    const start = '{ "task": "finetune", "problem": "segmentation", "modality": "3D", "data": { "path": "ct" }';
    const train = await opened(`${start}, "tr|ain": { "optimizer": "sgd" } }`).ask('textDocument/hover');
    expect(train.contents.value).toMatch(/- `lr`: `0\.01`, which follows from `train\.optimizer` \(`"sgd"`\)/);
    expect(train.contents.value).toMatch(/- `batch`: `2`, which follows from `problem` \(.*\) and `modality`/);
    const data = await opened(`${start.replace('"data"', '"da|ta"')} }`).ask('textDocument/hover');
    expect(data.contents.value).toMatch(/- `cache`: `".*preprocessed"`, which follows from this machine/);
  });

  it('gives the learning rate that a run computes', async () => {
    const { ask } = opened('{ "data": { "paths": "ct" }, "train": { "l|r": 0.0008 } }');
    expect((await ask('textDocument/hover')).contents.value).toMatch(
      /Source: the reference implementation of UniMiSS\.\n\nThis run uses `0\.0008` \(0\.000025 used\), from this file/,
    );
  });

  it('says nothing beside fields', async () => {
    expect(await opened('{ "data": { "paths": "ct" } } |').ask('textDocument/hover')).toBeNull();
  });
});

describe('diagnostics', () => {
  it('come while typing, and go with the close of the file', async () => {
    const { hear, until } = opened('{ "data": { "paths": "ct" }, "train": { "epochs": 0 } }');
    await until(([one]) => one?.message.startsWith('train.epochs: 0 is too small') ?? false);
    hear('textDocument/didChange', {
      textDocument: { uri, version: 2 },
      contentChanges: [{ range: { start: { line: 0, character: 50 }, end: { line: 0, character: 51 } }, text: '3' }],
    });
    await until(([one]) => one?.message === 'train.lr: is high\nLower it.');
    hear('textDocument/didClose', { textDocument: { uri } });
    expect(await until((all) => all.length === 0)).toEqual([]);
  });

  it('name a path that does not exist', async () => {
    const [first] = await opened('{ "data": { "paths": ["ct", "mr"] } }').until((all) => all.length > 0);
    expect(first).toMatchObject({
      severity: 1,
      message: expect.stringContaining(`${join(folder, 'mr')} does not exist`),
    });
  });

  it('say what is ignored, which a quick fix removes', async () => {
    const { ask, text, until } = opened(
      '{ "data": { "paths": "ct" }, "engine": { "library": "/x", "device": "cpu" } }',
    );
    await until((all) => all.some(({ severity }) => severity === 3));
    const [fix] = await ask('textDocument/codeAction');
    expect(fix.title).toBe('Remove this field');
    expect(edited(text, fix.edit.changes[uri])).toBe('{ "data": { "paths": "ct" }, "engine": { "device": "cpu" } }');
  });
});

describe('quick fixes', () => {
  it.each([
    ['{ "data": { "paths": "ct" }, "train": { "epoch": 3 } }', '"epoch"', '"epochs"'],
    ['{ "data": { "paths": "ct" }, "model": { "preset": "nanno" } }', '"nanno"', '"nano"'],
    ['{ "data": { "paths": "ct" }, "train": { "epochs": 0 } }', '"epochs": 0', '"epochs": 1'],
    ['{ "data": { "paths": "ct" }, "train": { "epochs": 2.2 } }', '2.2', '2'],
    ['{ "data": { "paths": "ct" }, "model": { "size2D": [100, 224] } }', '[100, 224]', '[96, 224]'],
    ['{ "data": { "paths": "ct" }, "train": { "sliceStride": 3 } }', '3', '2'],
    ['{ "data": { "paths": "ct" }, "views": { "area2D": [0.9, 0.2] } }', '[0.9, 0.2]', '[0.2, 0.9]'],
    ['{ "task": "finetun", "data": { "path": "ct" } }', '"finetun"', '"finetune"'],
  ])('replace what is meant: %s', async (text, wrong, right) => {
    const { ask } = opened(text);
    const [fix] = await ask('textDocument/codeAction');
    expect(edited(text, fix.edit.changes[uri])).toBe(text.replace(wrong, right));
  });

  it('give fields the values that settle what the images or the machine do not allow', async () => {
    const fix = [
      { field: 'train.batch.2D', value: 4 },
      { field: 'train.accumulate', value: 2 },
    ];
    const concern = {
      severity: 'warning',
      field: 'train.batch',
      message: 'needs 9 GiB',
      remedy: 'Halve it.',
      fix,
    } as const;
    const text = '{\n  "data": { "paths": "ct" },\n  "train": {\n    // mine\n    "batch": { "2D": 8 }\n  }\n}\n';
    const { ask, until } = opened(text, async () => ({ ...forecast, concerns: [concern] }));
    await until((all) => all.length > 0);
    const [action] = await ask('textDocument/codeAction');
    expect(action.title).toBe('Set train.batch.2D to 4, train.accumulate to 2');
    const after = edited(text, action.edit.changes[uri]);
    expect(after).toMatch(/\/\/ mine\n {4}"batch": \{\s*"2D": 4\s*\},\n {4}"accumulate": 2\n/);
    expect(checkConfig(after).problems).toEqual([]);
  });

  it('leave alone what follows from another field', async () => {
    // The last rate is above the peak, but the file does not give it.
    const { ask } = opened('{ "data": { "paths": "ct" }, "train": { "lr": 1e-9 } }');
    expect(await ask('textDocument/codeAction')).toEqual([]);
  });

  it('offer nothing where nothing is likely meant', async () => {
    expect(await opened('{ "data": { "paths": "ct" }, "zzz": 1 }').ask('textDocument/codeAction')).toEqual([]);
  });
});

describe('lenses, links and hints', () => {
  it('start a configuration, check its data, and say what a run would do', async () => {
    const { ask } = opened('{ "data": { "paths": "ct" } }');
    const lenses = await ask('textDocument/codeLens');
    expect(lenses.map((lens: { command?: { title: string } }) => lens.command?.title)).toEqual([
      '▶ Start',
      'Check Data',
      undefined,
    ]);
    expect((await ask('codeLens/resolve', lenses[2])).command.title).toBe(
      '7 volumes · 2 steps in 2 epochs · about 6 min (estimated) · AMD EPYC',
    );
    expect(await opened('{ "data": {} }').ask('textDocument/codeLens')).toEqual([]);
  });

  it('look again at the images when the file is saved, and on command; edits that change nothing do not', async () => {
    let looks = 0;
    const { ask, hear } = opened('{ "data": { "paths": "ct" } }', async () => {
      looks++;
      return forecast;
    });
    const contentChanges = [{ text: '// a comment\n{ "data": { "paths": "ct" } }' }];
    hear('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges });
    expect(looks).toBe(1);
    hear('textDocument/didSave', { textDocument: { uri } });
    expect(looks).toBe(2);
    expect(await ask('workspace/executeCommand', { command: checkDataCommand, arguments: [uri] })).toMatchObject({
      text: expect.stringMatching(/^7 volumes/),
    });
    expect(looks).toBe(3);
  });

  it('say why the images could not be looked at', async () => {
    const { ask } = opened('{ "data": { "paths": "ct" } }', async () => {
      throw new Error('the disk is gone');
    });
    const [, , last] = await ask('textDocument/codeLens');
    expect((await ask('codeLens/resolve', last)).command.title).toBe('the disk is gone');
  });

  it('lead to the files that fields name', async () => {
    const links = await opened('{ "data": { "paths": ["ct"] } }').ask('textDocument/documentLink');
    expect(links).toEqual([
      {
        range: { start: { line: 0, character: 23 }, end: { line: 0, character: 25 } },
        target: pathToFileURL(join(folder, 'ct')).href,
      },
    ]);
  });

  it('show the learning rate that follows from the batch', async () => {
    const hints = await opened('{ "data": { "paths": "ct" }, "train": { "lr": 0.0008 } }').ask(
      'textDocument/inlayHint',
    );
    expect(hints).toMatchObject([{ label: '→ 0.000025 used' }]);
  });
});

it('answers for any text at any place, without an error', async () => {
  const pieces = ['{', '}', '[', ']', '"', ':', ',', 'data', 'paths', 'ct', 'train', 'lr', '1', '\n', '//', 'é', ' '];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), fc.nat(30), async (parts, n) => {
      parts.splice(n % (parts.length + 1), 0, '|');
      const { ask, session } = opened(parts.join(''));
      for (const method of session.handlers.keys())
        if (method !== 'workspace/executeCommand') await ask(method, { data: { uri } });
      session.end();
    }),
    { numRuns: 60 },
  );
});

it('ignores files of other names', async () => {
  const session = new LanguageSession(async () => {}, { kinds: configKinds, forecast: async () => forecast });
  session.listeners
    .get('textDocument/didOpen')!
    .hear({ textDocument: { uri: 'file:///a.json', version: 1, text: '{' } });
  expect(
    await session.handlers
      .get('textDocument/hover')!
      .answer({ textDocument: { uri: 'file:///a.json' }, position: { line: 0, character: 0 } }, {} as RequestContext),
  ).toBeNull();
});
