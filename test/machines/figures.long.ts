import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compressNifti } from '../../daemon/data/formats/niftiWriter.ts';
import { readPayload } from '../../machines/payload.ts';
import {
  daemonStop,
  filesOpen,
  imageAsk,
  imageOpen,
  machineStatus,
  ping,
  runCreate,
  runKill,
} from '../../protocol/daemon/messages.ts';
import { humanBytes } from '../../protocol/words.ts';
import { ended, RunWatcher } from '../daemon/harness.ts';
import { configText } from '../daemon/runs.ts';
import { Curve } from './curves.ts';
import { clientOf } from './line.ts';
import { fakePayload } from './payload.ts';
import { SlowLine } from './slowLine.ts';
import { noSshd, Sshd } from './sshd.ts';

/**
 * The figures of docs/performance.md about other machines: real `ssh`, real `sshd`, a proxy that delays and narrows. They are printed; the
 * assertions only keep them within reason.
 */
describe.skipIf(noSshd)('bytes and times over a line', () => {
  let sshd: Sshd;
  const rows: string[][] = [];
  const row = (what: string, seconds: number | undefined, bytes: number | undefined) =>
    rows.push([
      what,
      seconds === undefined ? '' : `${seconds.toFixed(2)} s`,
      bytes === undefined ? '' : humanBytes(bytes),
    ]);
  const timed = async <R>(action: () => Promise<R>): Promise<[R, number]> => {
    const began = performance.now();
    const result = await action();
    return [result, (performance.now() - began) / 1000];
  };
  beforeAll(async () => {
    sshd = await Sshd.start({ UNIMISS_FAKE_STEP_MS: '100' });
  });
  afterAll(async () => {
    await sshd?.stop();
    console.log(rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n'));
  });

  it.each([
    ['50 ms and 100 Mbit/s', 'gpu-a', 25, 100e6],
    ['200 ms and 10 Mbit/s', 'gpu-b', 100, 10e6],
  ] as const)('the product’s daemon over %s', async (name, user, oneWay, bits) => {
    const payload = await readPayload(resolve('dist/daemon'), '0.0.0');
    const line = await SlowLine.open(sshd.port, oneWay, bits);
    const host = `slow-${user}`;
    sshd.addHost(host, { Port: line.port, User: sshd.users[user === 'gpu-a' ? 0 : 1].name });
    const [first, firstSeconds] = await timed(() => clientOf(sshd, host, payload));
    row(`first connection, ${name}: examine, copy the daemon, start it`, firstSeconds, line.bytes);
    await first.line.end();
    let before = line.bytes;
    const [again, seconds] = await timed(() => clientOf(sshd, host, payload));
    row(`connection again, ${name}`, seconds, line.bytes - before);
    before = line.bytes;
    const [, answer] = await timed(() => again.client.call(ping, {}));
    row(`a request and its answer, ${name}`, answer, line.bytes - before);
    before = line.bytes;
    await again.client.call(machineStatus, {});
    row(`state of the machine, asked every 5 s while the view is open, ${name}`, undefined, line.bytes - before);
    // It would go on for minutes, and the next client of this user would be given it.
    await again.client.call(daemonStop, {});
    await again.client.closed;
    await again.line.end();
    line.close();
    expect(firstSeconds).toBeLessThan(120);
  });

  it('a run’s curves, and planes of an image of 512×512×300', async () => {
    const payload = await fakePayload();
    const line = await SlowLine.open(sshd.port, 25, 100e6);
    sshd.addHost('slow', { Port: line.port });
    const { client, line: open } = await clientOf(sshd, 'slow', payload);
    const config = configText('far', 100_000, { data: { paths: sshd.images } });
    const watcher = await RunWatcher.on(client);
    const { folder } = await client.call(runCreate, { from: { config, file: '/x.unimiss.jsonc' }, wait: false });
    const begun = await watcher.until(folder, (run) => run?.activity === 'training' || ended(run));
    expect(begun).toMatchObject({ activity: 'training' });
    const curve = new Curve(folder);
    await curve.follow(client);
    await curve.until(20);
    const before = { bytes: line.bytes, steps: curve.steps.length };
    await curve.until(before.steps + 300);
    row('a step of a run that is shown, 10 a second', undefined, (line.bytes - before.bytes) / 300);
    await client.call(runKill, { run: folder });

    const images = join(sshd.users[0].home, 'ct');
    mkdirSync(images);
    const shape = [300, 512, 512] as const;
    const data = new Int16Array(shape[0] * shape[1] * shape[2]);
    // A body in air, with the noise of a scanner.
    for (let n = 0, seed = 1; n < data.length; n++) {
      const [x, y] = [(n % 512) - 256, (Math.floor(n / 512) % 512) - 256];
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      data[n] = (Math.hypot(x, 1.4 * y) < 220 ? 40 + 10 * Math.sin(x / 20) * Math.cos(y / 30) : -1000) + (seed >>> 28);
    }
    writeFileSync(join(images, 'ct.nii.gz'), await compressNifti({ shape, data, spacing: [1.5, 0.8, 0.8] }));
    execFileSync('chown', ['-R', sshd.users[0].name, images]);
    const { path } = await client.call(filesOpen, { path: '~/ct/ct.nii.gz' });
    let start = line.bytes;
    const began = performance.now();
    const { image } = await client.call(imageOpen, { path });
    const ask = (asked: Parameters<typeof client.call<typeof imageAsk>>[1]['asked']) =>
      client.call(imageAsk, { image, asked });
    await ask({ task: 'open', given: {} });
    await ask({ task: 'plane', given: { plane: 'axial', index: 150, nearest: true } });
    row('an image of 512×512×300 there, to some axial plane', (performance.now() - began) / 1000, line.bytes - start);
    await ask({ task: 'range', given: null });
    row('to its middle', (performance.now() - began) / 1000, undefined);
    await expect.poll(async () => complete(await ask(plane(299))), { timeout: 60_000, interval: 20 }).toBe(true);
    row('to all of it', (performance.now() - began) / 1000, undefined);
    start = line.bytes;
    const [, each] = await timed(async () => {
      for (let index = 100; index < 130; index++) await ask(plane(index));
    });
    row('a plane of 512×512, one after the other', each / 30, (line.bytes - start) / 30);
    const [, moving] = await timed(() => Promise.all(Array.from({ length: 60 }, (_, n) => ask(plane(140 + n)))));
    row('a plane, several on the way', moving / 60, undefined);
    expect(60 / moving).toBeGreaterThan(10);
    await open.end();
    line.close();
    payload.remove();
  });
});

const plane = (index: number) => ({ task: 'plane' as const, given: { plane: 'axial' as const, index } });
const complete = ({ answer }: { answer: unknown }) =>
  typeof answer === 'object' && answer !== null && 'complete' in answer && answer.complete;
