import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node.js';
import { bundleScripts } from '../daemon/bundle.ts';
import { DaemonPlace } from '../daemon/harness.ts';

it('an editor that knows nothing but LSP gets help for configurations, over `unimiss connect`', async () => {
  const scripts = await bundleScripts('main');
  const place = new DaemonPlace(scripts.main);
  const child = spawn(process.execPath, [scripts.main, 'connect'], {
    env: place.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  try {
    const data = join(place.folder, 'ct');
    mkdirSync(data);
    for (let i = 0; i < 3; i++) writeFileSync(join(data, `${i}.png`), 'no image');
    const uri = pathToFileURL(join(place.folder, 'chest.unimiss.jsonc')).href;
    const published: { message: string }[][] = [];
    let wake = () => {};
    connection.onNotification('textDocument/publishDiagnostics', ({ diagnostics }) => {
      published.push(diagnostics);
      wake();
    });
    connection.listen();
    const { capabilities } = (await connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {},
    })) as { capabilities: object };
    expect(capabilities).toMatchObject({ hoverProvider: true, codeLensProvider: { resolveProvider: true } });
    await connection.sendNotification('initialized', {});
    const text = '{ "data": { "paths": "ct" }, "train": { "lrr": 1 } }';
    const textDocument = { uri, languageId: 'jsonc', version: 1, text };
    await connection.sendNotification('textDocument/didOpen', { textDocument });
    const until = async (wanted: RegExp) => {
      while (!published.at(-1)?.some(({ message }) => wanted.test(message)))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
    await until(/unknown key "lrr"\nDid you mean "lr"\?/);
    const position = { line: 0, character: text.indexOf('paths') };
    const hover = (await connection.sendRequest('textDocument/hover', { textDocument: { uri }, position })) as {
      contents: { value: string };
    };
    expect(hover.contents.value).toMatch(/Folder or image file/);
    await connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: 2 },
      contentChanges: [{ text: text.replace('"lrr": 1', '"epochs": 2') }],
    });
    // The daemon looks at the images, and finds that none can be read.
    await until(/image/);
    await connection.sendRequest('shutdown');
    await connection.sendNotification('exit');
  } finally {
    connection.dispose();
    child.kill();
    await place.close();
    scripts.remove();
  }
});
