// Says that the extension host is up, by opening a socket, and runs the functions that a test sends to it.
const { renameSync } = require('node:fs');
const { createServer } = require('node:net');
const { join } = require('node:path');
const { runInThisContext } = require('node:vm');
const vscode = require('vscode');

exports.activate = (context) => {
  const socketPath = join(process.env.EDITOR_TEST_PROBES, `${process.pid}.sock`);
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    let request = '';
    for await (const chunk of socket.setEncoding('utf8')) request += chunk;
    socket.end(JSON.stringify(await answer(JSON.parse(request))));
  });
  server.listen(`${socketPath}.new`, () => renameSync(`${socketPath}.new`, socketPath)); // seen only once it answers
  context.subscriptions.push({ dispose: () => server.close() });
};

async function answer({ source, args }) {
  try {
    return { value: await runInThisContext(`(${source})`)(vscode, ...args) };
  } catch (error) {
    return { error: String(error?.stack ?? error) };
  }
}
