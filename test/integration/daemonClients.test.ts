import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { frameOf } from '../../protocol/daemon/frameGuard.ts';
import { daemonStatus, ping } from '../../protocol/daemon/lifecycleMessages.ts';
import { metricsSubscribe, metricsUpdate } from '../../protocol/metrics/messages.ts';
import { runKill } from '../../protocol/runs/messages.ts';
import {
  createRun,
  type DaemonPlace,
  hello,
  placeForAllTests,
  RunWatcher,
  says,
  trained,
  untilClosed,
} from '../daemon/harness.ts';

/** Clients that behave badly: one daemon hears them all, and serves a good client before, beside and after. */
let place: DaemonPlace;
let good: DaemonConnection;
placeForAllTests(
  async (fresh) => {
    place = fresh;
    good = await place.client();
  },
  { UNIMISS_FAKE_STEP_MS: '1' },
);

const status = async () => good.call(daemonStatus, {});

describe('a client that sends something else than messages', () => {
  it.each([
    ['noise', Buffer.alloc(20_000, 0xfe), /no message header/],
    ['a request of HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /without a numeric Content-Length/],
    [
      'a frame of 2 GB by its header',
      Buffer.from('Content-Length: 2147483648\r\n\r\n{"jsonrpc"'),
      /2147483648 bytes; the maximum/,
    ],
    ['a body that is not JSON', Buffer.from('Content-Length: 5\r\n\r\n{"a":'), /JSON/],
  ])('%s, is told so and given up; others notice nothing', async (_, bytes, answer) => {
    const socket = await place.raw();
    const said = untilClosed(socket);
    socket.write(bytes);
    expect(await said).toMatch(answer);
    expect((await status()).clients).toBe(1);
  });

  it('a frame of 2 GB by its header after the handshake, costs no memory', async () => {
    const before = (await status()).rssMiB;
    const socket = await place.raw();
    const said = untilClosed(socket);
    socket.write(hello);
    await says(socket, /"serverInfo"/);
    socket.write('Content-Length: 2000000000\r\n\r\n');
    expect(await said).toMatch(/2000000000 bytes; the maximum is 16777216/);
    expect((await status()).rssMiB - before).toBeLessThan(100);
  });

  it('half a frame and then nothing, harms nobody and leaves no trace', async () => {
    const socket = await place.raw();
    const said = untilClosed(socket);
    socket.write(`${hello}Content-Length: 100\r\n\r\n{"jsonrpc":`);
    await says(socket, /"serverInfo"/);
    expect((await status()).clients).toBe(2);
    socket.end();
    await said;
    expect((await status()).clients).toBe(1);
  });

  it.each([
    ['a null id', { jsonrpc: '2.0', id: null, method: 'unimiss/ping' }, null],
    ['an object as id', { jsonrpc: '2.0', id: {}, method: 'unimiss/ping' }, null],
    ['a number as method', { jsonrpc: '2.0', id: 7, method: 7 }, 7],
    ['no method', { jsonrpc: '2.0', id: 'a' }, 'a'],
  ])('a request with %s, is told that it is invalid', async (_, request, id) => {
    const socket = await place.raw();
    const said = untilClosed(socket);
    socket.write(hello);
    socket.end(frameOf(request));
    expect(await said).toContain(`"id":${JSON.stringify(id)},"error":{"code":-32600,`);
  });

  it('JSON that is no message of JSON-RPC, does not keep others from being answered', async () => {
    const socket = await place.raw();
    const said = untilClosed(socket);
    for (const odd of [null, 5, [], {}, { jsonrpc: '2.0' }, { jsonrpc: '2.0', id: {}, method: 7 }])
      socket.write(frameOf(odd));
    socket.write(frameOf({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 12 } }));
    socket.end(hello);
    expect(await said).toMatch(/"serverInfo"/);
  });
});

describe('a client that breaks the protocol', () => {
  it('gets an answer that says what is wrong', async () => {
    const socket = await place.raw();
    const said = untilClosed(socket);
    const request = (id: number, method: string, params?: unknown) =>
      socket.write(frameOf({ jsonrpc: '2.0', id, method, params }));
    request(1, 'unimiss/ping', {});
    socket.write(hello);
    request(2, 'initialize', { capabilities: {} });
    request(3, 'unimiss/no/such');
    request(4, 'unimiss/ping', { rum: 'a' });
    request(5, 'unimiss/ping', [1, 2]);
    request(6, 'unimiss/runs/get', { run: '../../etc' });
    request(7, 'unimiss/runs/delete', { run: 'a' });
    request(8, 'shutdown');
    request(9, 'unimiss/ping', {});
    socket.write(frameOf({ jsonrpc: '2.0', method: 'exit' }));
    const answers = new Map(
      (await said)
        .split(/Content-Length: \d+\r\n\r\n/)
        .filter(Boolean)
        .map((text) => JSON.parse(text) as { id: number; error?: { code: number; message: string } })
        .map((answer) => [answer.id, answer.error]),
    );
    expect(answers.get(1)).toMatchObject({ code: -32002 });
    expect(answers.get(0)).toBeUndefined();
    expect(answers.get(2)).toMatchObject({ code: -32600 });
    expect(answers.get(3)).toMatchObject({ code: -32601 });
    expect(answers.get(4)).toMatchObject({ code: -32602, message: expect.stringMatching(/rum/) });
    expect(answers.get(5)).toMatchObject({ code: -32602 });
    expect(answers.get(6)).toMatchObject({ code: -32803, data: { code: 'run' } });
    expect(answers.get(7)).toMatchObject({ code: -32602, message: expect.stringMatching(/confirm/) });
    expect(answers.get(9)).toMatchObject({ code: -32600 });
  });
});

describe('a client that does not read', () => {
  it('its answers, is not read from either, and costs little memory', async () => {
    const before = (await status()).rssMiB;
    const socket = await place.raw();
    socket.pause();
    socket.write(hello);
    let sent = 0;
    const flood = frameOf({
      jsonrpc: '2.0',
      id: 1,
      method: 'unimiss/config/make',
      params: { folders: ['x'.repeat(2000)] },
    }).repeat(20);
    // The system's buffers and ours are full when a write is not taken any more while the daemon has long answered others.
    for (let still = 0; still < 20 && sent < 200e6; ) {
      const taken = socket.write(flood);
      sent += flood.length;
      if (!taken) {
        const drain = new AbortController();
        const drained = await Promise.race([
          once(socket, 'drain', drain).then(() => true),
          roundTrips(5).then(() => false),
        ]).finally(() => drain.abort());
        still = drained ? 0 : still + 1;
      }
    }
    expect(sent).toBeLessThan(200e6);
    expect((await status()).rssMiB - before).toBeLessThan(150);
    socket.destroy();
  });

  it('its subscription to a run that records a lot, holds up nobody, and gets the whole when it reads again', async () => {
    const run = await createRun(good, 'a', 100_000);
    const watcher = await RunWatcher.on(good);
    const slow = await place.raw();
    slow.pause();
    const before = (await status()).rssMiB;
    slow.write(hello + frameOf({ jsonrpc: '2.0', id: 1, method: metricsSubscribe.method, params: { runs: [run.id] } }));
    const fast = await place.client();
    let steps = 0;
    fast.listen(metricsUpdate, ({ message }) => {
      if (message.type === 'snapshot') steps = message.runs[0]!.steps.columns.step!.length;
      else if (message.type === 'append') steps += message.steps?.columns.step?.length ?? 0;
    });
    await fast.call(metricsSubscribe, { runs: [run.id], most: 20_000 });
    await watcher.until(run.folder, trained(400));
    await expect.poll(() => steps, { timeout: 30_000 }).toBeGreaterThanOrEqual(400);
    expect((await status()).rssMiB - before).toBeLessThan(150);
    await good.call(runKill, { run: run.id });
    // What the slow one gets in the end begins with a snapshot and has nothing twice.
    const sequences: number[] = [];
    let text = '';
    slow.on('data', (data) => {
      text += String(data);
    });
    slow.resume();
    await expect
      .poll(() => [...text.matchAll(/"state":"(\w+)"/g)].at(-1)?.[1], { timeout: 30_000 })
      .toBe('interrupted');
    for (const [, sequence] of text.matchAll(/"sequence":(\d+)/g)) sequences.push(Number(sequence));
    expect(sequences).toEqual(Array.from(sequences, (_, i) => i + 1));
    slow.destroy();
    fast.close();
  });
});

async function roundTrips(n: number): Promise<void> {
  for (let i = 0; i < n; i++) await good.call(ping, {});
}
