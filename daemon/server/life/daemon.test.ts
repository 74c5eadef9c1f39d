import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineDoctor } from '../../../protocol/daemon/engineMessages.ts';
import { frameOf } from '../../../protocol/daemon/frameGuard.ts';
import { daemonStop, ping } from '../../../protocol/daemon/lifecycleMessages.ts';
import { DaemonConnection } from '../../client/daemonConnection.ts';
import { reach } from '../../files/reach.ts';
import { tasks } from '../../runs/start/tasks.ts';
import { Daemon } from './daemon.ts';
import { daemonPaths } from './paths.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-answers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (now = () => new Date()) =>
  Daemon.start({
    now,
    tasks,
    paths: daemonPaths({ UNIMISS_SOCKET: join(folder, 'd.sock') }),
    runsRoot: join(folder, 'runs'),
    trainer: { file: process.execPath, args: ['-e', ''] },
    job: { file: process.execPath, args: ['-e', ''] },
    log: () => {},
  });
const connect = async () => DaemonConnection.open((await reach(join(folder, 'd.sock')))!);

describe("a client's requests are answered", () => {
  it('when it is the end of the daemon, 200 times', async () => {
    for (let n = 0; n < 200; n++) {
      const daemon = await start();
      const [client, other] = [await connect(), await connect()];
      const answers = Promise.all([other.call(ping, {}), client.call(ping, {}), client.call(daemonStop, {})]);
      expect((await answers)[2]).toEqual({ stopping: 0, leaving: 0, staying: 0, waiting: 0, forgotten: 0 });
      await Promise.all([client.closed, other.closed, daemon.ended]);
    }
  });

  it('when it ends its side of the connection at once, 200 times', async () => {
    const daemon = await start();
    const hello = frameOf({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { capabilities: {} } });
    const pings = Array.from({ length: 20 }, (_, i) => frameOf({ jsonrpc: '2.0', id: i + 1, method: ping.method }));
    const half = frameOf({ jsonrpc: '2.0', id: 99, method: ping.method }).slice(0, -3);
    for (let n = 0; n < 200; n++) {
      const socket = createConnection({ path: join(folder, 'd.sock'), allowHalfOpen: true });
      socket.end(hello + pings.join('') + (n % 2 === 0 ? '' : half));
      let said = '';
      for await (const chunk of socket.setEncoding('utf8')) said += chunk;
      expect([...said.matchAll(/"id":(\d+),"result":/g)].map(([, id]) => Number(id))).toEqual(
        Array.from({ length: 21 }, (_, i) => i),
      );
    }
    daemon.stop();
    await daemon.ended;
  });

  it('when the answer takes long and the client has ended its side', async () => {
    const daemon = await start();
    const client = await connect();
    const report = client.call(engineDoctor, {});
    client.close();
    await expect(report).resolves.toMatchObject({ text: expect.stringContaining('TensorFlow') });
    await client.closed;
    daemon.stop();
    await daemon.ended;
  });
});

it('a daemon that accepts connections and does not answer is given up, with a remedy', async () => {
  const server = createServer(() => {}).listen(join(folder, 'd.sock'));
  await once(server, 'listening');
  const socket = (await reach(join(folder, 'd.sock')))!;
  await expect(DaemonConnection.open(socket, { patience: 50 })).rejects.toMatchObject({
    code: 'daemon',
    message: expect.stringMatching(/has not responded for 0\.05 s\n {2}If it hangs/),
  });
  server.close();
});

it('runs deleted long ago are removed at the start, and once a day', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const trash = join(folder, 'runs', '.trash');
  for (const name of ['old-deleted-20260101-000000', 'young-deleted-20260102-120000'])
    mkdirSync(join(trash, name), { recursive: true });
  let now = new Date('2026-02-01T00:00:00Z');
  const daemon = await start(() => now);
  await expect.poll(() => readdirSync(trash)).toEqual(['young-deleted-20260102-120000']);
  now = new Date('2026-02-02T00:00:00Z');
  vi.advanceTimersByTime(24 * 60 * 60 * 1000);
  vi.useRealTimers();
  await expect.poll(() => readdirSync(trash)).toEqual([]);
  daemon.stop();
  await daemon.ended;
});
