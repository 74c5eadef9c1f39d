import { existsSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectMachine } from '../../machines/connect.ts';
import { probe } from '../../machines/probe.ts';
import { daemonStatus } from '../../protocol/daemon/messages.ts';
import { filesOpen, filesRead } from '../../protocol/files/messages.ts';
import { runReport } from '../../protocol/runs/detailsMessages.ts';
import { runCreate, runsList } from '../../protocol/runs/messages.ts';
import { ended, RunWatcher } from '../daemon/harness.ts';
import { configText } from '../daemon/runs.ts';
import { clientOf } from './line.ts';
import { fakePayload } from './payload.ts';
import { noSshd, Sshd } from './sshd.ts';

// Several processes start on each side.
vi.setConfig({ testTimeout: 180_000 });

describe.skipIf(noSshd)('another machine, through a real sshd', () => {
  let sshd: Sshd;
  let payload: Awaited<ReturnType<typeof fakePayload>>;
  beforeAll(async () => {
    [sshd, payload] = await Promise.all([Sshd.start(), fakePayload()]);
  });
  afterAll(async () => {
    payload?.remove();
    await sshd?.stop();
  });
  const options = () => ({ asking: 'nobody' as const, env: sshd.env });

  it('is examined before anything is copied', async () => {
    const facts = await probe('gpu-a', options());
    expect(facts).toMatchObject({ system: 'Linux', processor: 'x86_64', hasNode: true });
    expect(facts.glibc).toMatch(/^2\.\d+$/);
    expect(facts.free).toBeGreaterThan(1e6);
    expect(readdirSync(sshd.users[0].home)).toEqual([]);
  });

  it('gets the daemon of this version at the first connection, and keeps it; a run trains there', async () => {
    const said: string[] = [];
    const { client, line } = await clientOf(sshd, 'gpu-a', payload, { onProgress: (message) => said.push(message) });
    expect(said.at(0)).toBe('Examining gpu-a');
    const place = join(sshd.users[0].home, '.local/share/unimiss/daemon');
    expect(readdirSync(place)).toEqual([payload.version]);
    expect(statSync(join(place, payload.version)).mode & 0o77).toBe(0);
    const status = await client.call(daemonStatus, {});
    expect(status.runsRoot).toBe(join(sshd.users[0].home, 'unimiss-runs'));
    const watcher = await RunWatcher.on(client);
    const config = configText('far', 20, { data: { paths: sshd.images } });
    const { folder } = await client.call(runCreate, { from: { config, file: '/x.unimiss.jsonc' } });
    expect((await watcher.until(folder, ended))?.state).toBe('finished');
    const { data, size } = await client.call(filesRead, { path: join(folder, 'config.resolved.json') });
    expect(JSON.parse(Buffer.from(data, 'base64').toString()).name).toBe('far');
    expect(size).toBe(Buffer.from(data, 'base64').length);
    symlinkSync('/etc/passwd', join(folder, 'leak.txt'));
    for (const path of ['/etc/passwd', `${folder}/../../.bashrc`, join(folder, 'leak.txt'), sshd.users[1].home])
      await expect(client.call(filesRead, { path }), path).rejects.toMatchObject({ code: 'data' });
    // It has what a report consists of.
    const report = join(folder, 'report.html');
    await client.call(runReport, { run: folder, format: 'html', out: report });
    expect(statSync(report).size).toBeGreaterThan(100_000);
    // What the user names may be read, also below the home.
    writeFileSync(join(sshd.users[0].home, 'notes.txt'), 'ours', { mode: 0o644 });
    const named = await client.call(filesOpen, { path: '~/notes.txt' });
    expect(named).toEqual({ path: join(sshd.users[0].home, 'notes.txt'), kind: 'file' });
    const { data: notes } = await client.call(filesRead, { path: named.path });
    expect(Buffer.from(notes, 'base64').toString()).toBe('ours');
    await line.end();
    await client.closed;

    said.length = 0;
    const again = await clientOf(sshd, 'gpu-a', payload, { onProgress: (message) => said.push(message) });
    expect(said).toEqual([]);
    expect((await again.client.call(daemonStatus, {})).pid).toBe(status.pid);
    await again.line.end();
  });

  it('shows each user only their own runs', async () => {
    const { client, line } = await clientOf(sshd, 'gpu-b', payload);
    const { root, runs } = await client.call(runsList, {});
    expect(root.startsWith(sshd.users[1].home)).toBe(true);
    expect(runs).toEqual([]);
    // Not even by its name: the folders of the other user are closed.
    const others = join(sshd.users[0].home, 'unimiss-runs');
    expect(existsSync(others)).toBe(true);
    expect((await client.call(runsList, { root: others })).runs).toEqual([]);
    await line.end();
  });

  it('refuses a machine with another processor, and copies nothing', async () => {
    const { home } = sshd.users[1];
    writeFileSync(join(home, 'uname'), '#!/bin/sh\n[ "$1" = -m ] && echo aarch64 || exec /usr/bin/uname "$@"\n', {
      mode: 0o755,
    });
    // bash reads it for commands of ssh, too.
    writeFileSync(join(home, '.bashrc'), 'PATH="$HOME:$PATH"; export XDG_DATA_HOME="$HOME/none"\n', { mode: 0o644 });
    await expect(connectMachine('gpu-b', payload, options())).rejects.toThrow(
      /gpu-b: its processor is aarch64, but UniMiSS brings its daemon for x86_64 only/,
    );
    expect(existsSync(join(home, 'none'))).toBe(false);
  });

  it.each([
    ['a key that is not accepted', { IdentityFile: 'stranger' }, /did not accept your key or password/, 'UnimissError'],
    ['an unknown host key', { UserKnownHostsFile: '/dev/null' }, /host key is not known/, 'UnimissError'],
    ['a machine that is off', { Port: 1 }, /cannot be reached/, 'Unreachable'],
    ['a name that nobody has', { HostName: 'nobody.invalid' }, /no machine of this name/, 'Unreachable'],
  ] as [string, Record<string, string | number>, RegExp, string][])(
    '%s is an error with a remedy',
    async (_, settings, message, kind) => {
      const file = settings.IdentityFile && join(sshd.folder, String(settings.IdentityFile));
      sshd.addHost('wrong', { ...settings, ...(file && { IdentityFile: file }) });
      const error = await connectMachine('wrong', payload, options()).then(
        () => expect.unreachable('it connected'),
        (thrown) => thrown,
      );
      expect(error.message).toMatch(message);
      expect(error.constructor.name).toBe(kind);
      expect(error.details).toMatchObject({ place: 'wrong', remedy: expect.stringMatching(/ssh said/) });
    },
  );
});
