import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { trainerOf } from '../../daemon/runs/folder/lock.ts';
import type { Payload } from '../../machines/payload.ts';
import { prepareMachine } from '../../machines/prepare.ts';
import { daemonStatus, daemonStop, machineStatus, ping } from '../../protocol/daemon/messages.ts';
import { runCreate, runKill } from '../../protocol/runs/messages.ts';
import { ended, RunWatcher } from '../daemon/harness.ts';
import { configText } from '../daemon/runs.ts';
import { Curve } from './curves.ts';
import { clientOf } from './line.ts';
import { fakePayload } from './payload.ts';
import { SlowLine } from './slowLine.ts';
import { noSshd, Sshd } from './sshd.ts';

// Several processes start on each side.
vi.setConfig({ testTimeout: 180_000 });

describe.skipIf(noSshd)('lines to another machine', () => {
  let sshd: Sshd;
  let payload: Awaited<ReturnType<typeof fakePayload>>;
  beforeAll(async () => {
    [sshd, payload] = await Promise.all([Sshd.start({ UNIMISS_FAKE_STEP_MS: '20' }), fakePayload()]);
  });
  afterAll(async () => {
    payload?.remove();
    await sshd?.stop();
  });
  const options = () => ({ asking: 'nobody' as const, env: sshd.env });
  const copies = (user = sshd.users[1]) => readdirSync(join(user.home, '.local/share/unimiss/daemon'));
  const startRun = async (client: Awaited<ReturnType<typeof clientOf>>['client'], name: string, steps: number) => {
    const config = configText(name, steps, { data: { paths: sshd.images } });
    return client.call(runCreate, { from: { config, file: '/x.unimiss.jsonc' }, wait: false });
  };

  it('a disk that fills up is a sentence, before the copy and during it; nothing half-written stays', async () => {
    const [, user] = sshd.users;
    const small = join(user.home, '.local/share');
    mkdirSync(small, { recursive: true });
    execFileSync('chown', ['-R', user.name, join(user.home, '.local')]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=1m,uid=${user.uid},mode=700`, 'tmpfs', small]);
    try {
      await expect(prepareMachine('gpu-b', payload, options())).rejects.toThrow(
        /gpu-b: UniMiSS needs [\d.]+ MiB there; \d+ KiB are free|1\.0 MiB are free/,
      );
      await expect(prepareMachine('gpu-b', payload, { ...options(), needed: 0 })).rejects.toThrow(
        /gpu-b: its disk filled up while UniMiSS was copied; nothing of it was kept\n {2}Free some space/,
      );
      expect(copies()).toEqual([]);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('a copy that is cut off leaves nothing', async () => {
    // Random bytes: they do not shrink on the way, so that the copy takes its time on a narrow line.
    const file = join(sshd.folder, 'random');
    execFileSync('dd', ['if=/dev/urandom', `of=${file}`, 'bs=1M', 'count=4'], { stdio: 'ignore' });
    const large: Payload = { version: '9.9.9-large', bytes: 4e6, entries: [{ path: 'main.js', content: { file } }] };
    const narrow = await SlowLine.open(sshd.port, 1, 8e6);
    sshd.addHost('narrow', { Port: narrow.port, User: sshd.users[1].name });
    const stop = new AbortController();
    const cut = prepareMachine('narrow', large, {
      ...options(),
      signal: stop.signal,
      onProgress: (message) => {
        if (/: 1\.\d MiB of/.test(message)) stop.abort();
      },
    });
    await expect(cut).rejects.toMatchObject({ code: 'interrupted' });
    narrow.close();
    await expect.poll(copies, { timeout: 60_000 }).toEqual([]);
  });

  it('ssh is killed in the middle of a frame: the run goes on, and the curve has no hole', async () => {
    const steps = 400;
    const first = await clientOf(sshd, 'gpu-a', payload);
    const { folder } = await startRun(first.client, 'cut', steps);
    await first.line.end();
    // So narrow that every frame is on its way for long.
    const narrow = await SlowLine.open(sshd.port, 20, 2e5);
    sshd.addHost('narrow-a', { Port: narrow.port });
    const curve = new Curve(folder);
    for (const count of [20, 60]) {
      const { client, line } = await clientOf(sshd, 'narrow-a', payload);
      await curve.follow(client);
      await curve.until(count);
      process.kill(line.pid, 'SIGKILL');
      await client.closed;
      expect(curve.steps.length).toBeLessThan(steps);
    }
    narrow.close();
    const { client, line } = await clientOf(sshd, 'gpu-a', payload);
    await curve.follow(client);
    await curve.until(steps);
    expect(curve.steps).toEqual(Array.from({ length: steps }, (_, step) => step));
    expect(curve.snapshots).toBe(1);
    await line.end();
  });

  it('a laptop that sleeps: ssh is stopped while the run goes on, and then the curve has all of it', async () => {
    const { client, line } = await clientOf(sshd, 'gpu-a', payload);
    const other = await clientOf(sshd, 'gpu-a', payload);
    const { folder } = await startRun(client, 'asleep', 300);
    const [curve, watcher] = [new Curve(folder), await RunWatcher.on(other.client)];
    await curve.follow(client);
    await curve.until(10);
    process.kill(line.pid, 'SIGSTOP');
    await watcher.until(folder, ended);
    expect(curve.steps.length).toBeLessThan(300);
    process.kill(line.pid, 'SIGCONT');
    await curve.until(300);
    expect(curve.steps).toEqual(Array.from({ length: 300 }, (_, step) => step));
    await line.end();
    await other.line.end();
  });

  it('a daemon that cannot hand over its run makes room for the next version, and both are listed until it ends', async () => {
    const first = await clientOf(sshd, 'gpu-a', payload);
    const { folder } = await startRun(first.client, 'old', 10_000);
    const watcher = await RunWatcher.on(first.client);
    await watcher.until(folder, (run) => run?.activity === 'training');
    const { pid } = await first.client.call(daemonStatus, {});
    const later = { ...payload, version: `${payload.version}-later` };
    const same = await clientOf(sshd, 'gpu-a', later);
    expect((await same.client.call(daemonStatus, {})).pid).toBe(pid);
    await same.client.call(daemonStop, { successor: 999 });
    await same.client.closed;
    const next = await clientOf(sshd, 'gpu-a', later);
    const status = await next.client.call(daemonStatus, {});
    expect(status.pid).not.toBe(pid);
    expect(status.retired).toMatchObject([{ pid, runs: [folder] }]);
    const curve = new Curve(folder);
    await curve.follow(next.client);
    await curve.until(30);
    process.kill(trainerOf(join(folder, 'lock'))?.pid ?? -1, 'SIGKILL');
    await expect.poll(async () => (await next.client.call(daemonStatus, {})).retired, { timeout: 30_000 }).toEqual([]);
    for (const { line } of [first, same, next]) await line.end();
  });

  it('200 ms away and 1 Mbit/s wide, metrics stay live and answers come at once', async () => {
    const slow = await SlowLine.open(sshd.port, 100, 1e6);
    sshd.addHost('slow', { Port: slow.port });
    const { client, line } = await clientOf(sshd, 'slow', payload);
    const { folder } = await startRun(client, 'slow', 10_000);
    const curve = new Curve(folder);
    await curve.follow(client);
    await curve.until(50);
    const before = { bytes: slow.bytes, steps: curve.steps.length };
    const asked = performance.now();
    await client.call(ping, {});
    expect(performance.now() - asked).toBeLessThan(2500);
    await curve.until(before.steps + 200);
    const late = curve.arrivals.slice(1).map(({ at }, i) => at - (curve.arrivals[i]?.at ?? at));
    expect(Math.max(...late)).toBeLessThan(5000);
    const bytesPerStep = (slow.bytes - before.bytes) / (curve.steps.length - before.steps);
    expect(bytesPerStep).toBeLessThan(1000);
    expect(curve.steps).toEqual(Array.from({ length: curve.steps.length }, (_, step) => step));
    await client.call(runKill, { run: folder });
    await line.end();
    slow.close();
  });

  it('a password is asked by our program, and goes nowhere else', async () => {
    const [user] = sshd.users;
    const said = join(sshd.folder, 'asked');
    writeFileSync(said, '', { mode: 0o600 });
    const askpass = join(sshd.folder, 'askpass');
    writeFileSync(askpass, `#!/bin/sh\necho "$1" >> ${said}\necho "$TEST_ANSWER"\n`, { mode: 0o700 });
    sshd.addHost('asks', { PubkeyAuthentication: 'no', NumberOfPasswordPrompts: 1 });
    const asking = (TEST_ANSWER: string) => ({ asking: { askpass, env: { TEST_ANSWER } } });
    await expect(clientOf(sshd, 'asks', payload, asking('wrong'))).rejects.toThrow(
      /did not accept your key or password/,
    );
    const { client, line } = await clientOf(sshd, 'asks', payload, asking(user.password));
    expect((await client.call(machineStatus, {})).cpus.count).toBeGreaterThan(0);
    expect(statSync(said).size).toBeGreaterThan(0);
    await line.end();
  });

  it('a login script that prints, and one that ends, are no message of the daemon', async () => {
    const [user] = sshd.users;
    const script = join(user.home, '.bashrc');
    writeFileSync(script, 'echo "Content-Length: 3"; echo; echo "Welcome, quota exceeded"\n');
    const { client, line } = await clientOf(sshd, 'gpu-a', payload);
    await client.call(ping, {});
    await line.end();
    writeFileSync(script, 'echo "This account is not for you." >&2; exit 7\n');
    await expect(clientOf(sshd, 'gpu-a', payload)).rejects.toThrow(
      /gpu-a: its login ended with code 7 .*\n.*\n.*This account is not for you/,
    );
    writeFileSync(script, '');
  });
});
