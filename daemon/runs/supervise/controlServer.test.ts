import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlVersion, type FromTrainer, type ToTrainer } from '../../../protocol/runs/trainerMessages.ts';
import { bundleChild, Child } from '../../../test/child.ts';
import { ControlServer, type Request } from './controlServer.ts';

let folder: string;
let path: string;
let server: ControlServer;
let asked: Request[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-control-'));
  path = join(folder, 'sockets', 't.sock');
  asked = [];
  server = await ControlServer.listen(path, '/runs/a', (request, answer) => {
    asked.push(request);
    if (request.type === 'ping') answer({ type: 'pong', id: request.id });
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A daemon's end of the socket, driven by the test. */
class Daemon {
  private readonly lines: AsyncIterator<string>;
  private constructor(readonly socket: Socket) {
    this.lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  static async connect(): Promise<Daemon> {
    const socket = createConnection(path);
    await once(socket, 'connect');
    return new Daemon(socket);
  }

  say(message: ToTrainer): void {
    this.socket.write(`${JSON.stringify(message)}\n`);
  }

  hello(control = controlVersion): void {
    this.say({ type: 'hello', control, pid: 1, version: '9' });
  }

  /** The next message; undefined at the end. */
  async hear(): Promise<FromTrainer | undefined> {
    const { value, done } = await this.lines.next();
    return done ? undefined : JSON.parse(value);
  }
}

const last: FromTrainer = { type: 'ended', outcome: 'finished' };

describe('the control of a trainer', () => {
  it('reports its state to a late daemon, then what happens; several daemons get the same', async () => {
    server.tell({ type: 'stage', stage: 'Opening TensorFlow' });
    server.tell({ type: 'paused', paused: true });
    server.tell({ type: 'recorded' });
    const daemons = [await Daemon.connect(), await Daemon.connect()];
    for (const daemon of daemons) {
      expect(await daemon.hear()).toMatchObject({
        type: 'hello',
        control: controlVersion,
        pid: process.pid,
        run: '/runs/a',
      });
      daemon.hello();
      expect(await daemon.hear()).toEqual({ type: 'stage', stage: 'Opening TensorFlow' });
      expect(await daemon.hear()).toEqual({ type: 'paused', paused: true });
    }
    daemons[0]!.say({ type: 'ping', id: 3 });
    expect(await daemons[0]!.hear()).toEqual({ type: 'pong', id: 3 });
    daemons[0]!.socket.destroy();
    const closed = server.close(last);
    expect(await daemons[1]!.hear()).toEqual(last);
    expect(await daemons[1]!.hear()).toBeUndefined();
    await closed;
    expect(existsSync(path)).toBe(false);
  });

  it('obeys nobody before a handshake in its version', async () => {
    const [silent, newer] = [await Daemon.connect(), await Daemon.connect()];
    newer.hello(controlVersion + 1);
    for (const daemon of [silent, newer]) daemon.say({ type: 'stop' });
    const good = await Daemon.connect();
    good.hello();
    good.say({ type: 'pause' });
    await expect.poll(() => asked).toEqual([{ type: 'pause' }]);
    for (const daemon of [silent, newer, good]) daemon.socket.destroy();
    await server.close(last);
  });

  it.each([
    ['what is no JSON', 'noise\n'],
    ['what is no message', '{"type":"explode"}\n'],
    ['a line without end', 'x'.repeat(3 << 20)],
  ])('ends the connection of one that says %s, and goes on', async (_, text) => {
    const bad = await Daemon.connect();
    bad.socket.on('error', () => {});
    bad.hello();
    bad.socket.write(text);
    bad.socket.resume();
    await new Promise((resolve) => bad.socket.once('close', resolve));
    const good = await Daemon.connect();
    good.hello();
    good.say({ type: 'stop' });
    await expect.poll(() => asked).toEqual([{ type: 'stop' }]);
    good.socket.destroy();
    await server.close(last);
  });

  it('gives up a daemon that does not read', async () => {
    const deaf = await Daemon.connect();
    deaf.socket.pause();
    deaf.hello();
    deaf.say({ type: 'pause' });
    await expect.poll(() => asked.length).toBe(1);
    const gone = once(deaf.socket, 'close');
    for (let n = 0; n < 3000; n++) server.tell({ type: 'stage', stage: 'x'.repeat(1000) });
    deaf.socket.resume();
    await gone;
    await server.close(last);
  });
});

it('keeps no process alive after the last message, even if a daemon stays connected and reads nothing', async () => {
  const script = await bundleChild(
    `import { ControlServer } from './daemon/runs/supervise/controlServer.ts';
     async function main() {
       const server = await ControlServer.listen(process.argv[2]!, '/runs/a', async () => {
         await server.close({ type: 'ended', outcome: 'finished' });
         console.log('closed');
       });
       console.log('listening');
     }
     void main();`,
    folder,
  );
  const socket = join(folder, 'sockets', 'child.sock');
  const child = Child.start(script, [socket]);
  expect(await child.line()).toBe('listening');
  const exited = once(child.process, 'exit');
  const daemon = createConnection(socket);
  daemon.on('error', () => {});
  daemon.pause();
  daemon.write(
    `${JSON.stringify({ type: 'hello', control: controlVersion, pid: 1, version: '9' })}\n{"type":"stop"}\n`,
  );
  expect(await child.line()).toBe('closed');
  expect(await exited).toEqual([0, null]);
  daemon.destroy();
  await server.close(last);
});
