import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ping, protocolVersion } from '../../protocol/daemon/lifecycleMessages.ts';
import { reach } from '../files/reach.ts';
import { DaemonConnection } from './daemonConnection.ts';

let folder: string;
let server: Server;
let peer: Socket;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-client-'));
  server = createServer((socket) => {
    peer = socket;
    socket.on('error', () => {});
    socket.once('data', () => {
      const unimiss = { protocol: protocolVersion, pid: 1, runsRoot: '/runs' };
      const result = { capabilities: {}, serverInfo: { name: 'unimiss', version: '0' }, unimiss };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 0, result });
      socket.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
    });
  }).listen(join(folder, 'd.sock'));
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

test('requests to a daemon that has just died are rejected, and nothing is thrown where nobody can catch it', async () => {
  for (let i = 0; i < 50; i++) {
    const client = await DaemonConnection.open((await reach(join(folder, 'd.sock')))!);
    const gone = new Promise((resolve) => peer.once('close', resolve));
    peer.destroy();
    // Some are written before the client notices the end, some after.
    const asked = Array.from({ length: 5 }, () => client.call(ping, {}));
    await gone;
    asked.push(client.call(ping, {}));
    for (const answer of await Promise.allSettled(asked))
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'daemon' } });
    await client.closed;
    await expect(client.call(ping, {})).rejects.toMatchObject({ code: 'daemon' });
  }
});
