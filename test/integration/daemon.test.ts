import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../daemon/cli/terminal/exitCodes.ts';
import { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { configCheck, configMake } from '../../protocol/config/messages.ts';
import { engineDoctor } from '../../protocol/daemon/engineMessages.ts';
import { frameOf } from '../../protocol/daemon/frameGuard.ts';
import { daemonStatus, daemonStop, ping, protocolVersion } from '../../protocol/daemon/lifecycleMessages.ts';
import { logAppended, logFollow, logRead } from '../../protocol/runs/logMessages.ts';
import {
  runContinue,
  runCreate,
  runDelete,
  runMove,
  runPause,
  runRename,
  runStart,
  runStop,
  runsList,
} from '../../protocol/runs/messages.ts';
import {
  alive,
  createRun,
  type DaemonPlace,
  ended,
  hello,
  placeForEachTest,
  RunWatcher,
  trained,
  trainerPid,
} from '../daemon/harness.ts';
import { configText, letGo, stepsOf } from '../daemon/runs.ts';

/** Steps of a run that no test waits for: minutes, on the fastest machine. */
const LONG = 100_000;

const nothing = { stopping: 0, leaving: 0, staying: 0, waiting: 0, forgotten: 0 };

let place: DaemonPlace;
placeForEachTest((fresh) => {
  place = fresh;
});

describe('the daemon', () => {
  it('trains a run to its end, and any client sees it', async () => {
    const [first, second] = [await place.client(), await place.client()];
    const watcher = await RunWatcher.on(second);
    const run = await createRun(first, 'a', 20);
    const info = await watcher.until(run.folder, ended);
    expect(info).toMatchObject({ state: 'finished', step: 19, ending: { how: 'finished' }, owner: null });
    expect((await first.call(runsList, {})).runs).toEqual([info]);
  });

  it('pauses, continues, stops, resumes and deletes a run', async () => {
    const client = await place.client();
    const watcher = await RunWatcher.on(client);
    const { folder, id } = await createRun(client, 'waits', 60);
    await watcher.until(folder, trained(3));
    expect((await client.call(ping, { run: id })).trainerMs).toBeLessThan(5000);
    await client.call(runPause, { run: id });
    await watcher.until(folder, (info) => info?.activity === 'paused');
    await client.call(runContinue, { run: id });
    await watcher.until(folder, (info) => info?.activity === 'training');
    await expect(client.call(runDelete, { run: id, confirm: true })).rejects.toThrow(/while it is training/);
    await client.call(runStop, { run: id });
    expect(await watcher.until(folder, ended)).toMatchObject({ state: 'stopped' });
    letGo(folder);
    await client.call(runStart, { run: id });
    expect(await watcher.until(folder, (info) => ended(info) && info?.state === 'finished')).toBeTruthy();
    expect(await stepsOf({ recordsFile: join(folder, 'records.jsonl') })).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    );
    const { trash } = await client.call(runDelete, { run: id, confirm: true });
    await watcher.until(folder, (info) => info === undefined);
    expect(readdirSync(trash)).toContain('records.jsonl');
  });

  it('renames a run, and moves one that waits to the front of the queue', async () => {
    const client = await place.client();
    const watcher = await RunWatcher.on(client);
    const [first, second, third] = [
      await createRun(client, 'waits', 60),
      await createRun(client, 'b', 20),
      await createRun(client, 'c', 20),
    ];
    expect(await client.call(runMove, { run: third.id, place: 1 })).toMatchObject({ queue: 1, activity: 'queued' });
    await watcher.until(second.folder, (info) => info?.queue === 2);
    await expect(client.call(runMove, { run: first.id, place: 1 })).rejects.toThrow(/does not wait in the queue/);
    expect(await client.call(runRename, { run: third.id, name: 'chest.v2' })).toMatchObject({
      ...{ id: third.id, name: 'chest.v2', activity: 'queued' },
    });
    await expect(client.call(runRename, { run: third.id, name: '../x' })).rejects.toThrow(
      /"..\/x" is not a valid run name\n.*at most 64 letters/,
    );
    await client.call(runStop, { run: second.id });
    letGo(first.folder);
    expect(await watcher.until(third.folder, ended)).toMatchObject({ state: 'finished', name: 'chest.v2' });
  });

  it('lets runs go on without clients, and tells what became of them', async () => {
    const first = await place.client();
    const { id, folder } = await createRun(first, 'a', 40);
    first.close();
    await first.closed;
    const watcher = await RunWatcher.on(await place.client());
    expect(await watcher.until(folder, ended)).toMatchObject({ id, state: 'finished' });
  });

  it('on request, ends with its runs stopped at a checkpoint, and leaves neither process nor socket', async () => {
    const client = await place.client();
    const { pid } = await client.call(daemonStatus, {});
    const watcher = await RunWatcher.on(client);
    const { folder } = await createRun(client, 'a', LONG);
    const waiting = await createRun(client, 'b', 10);
    expect(waiting).toMatchObject({ activity: 'queued', queue: 1, devices: ['cpu'] });
    await watcher.until(folder, trained(7));
    const trainer = trainerPid(folder);
    expect(await client.call(daemonStop, { runs: 'stop' })).toEqual({ ...nothing, stopping: 1, forgotten: 1 });
    await client.closed;
    expect(alive(trainer)).toBe(false);
    await expect.poll(() => alive(pid), { timeout: 30_000 }).toBe(false);
    const again = await place.client();
    const { runs } = await again.call(runsList, {});
    expect(runs.map((run) => [run.name, run.state])).toEqual([
      ['b', 'new'],
      ['a', 'stopped'],
    ]);
    expect(await again.call(daemonStop, {})).toEqual(nothing);
    await again.closed;
    expect(readdirSync(place.folder)).not.toContain('d.sock');
    expect(readdirSync(place.paths.trainers)).toEqual([]);
  });

  it('ends by itself when nobody is connected and nothing runs', async () => {
    const idle = place.run('daemon', '--idle', '0.005');
    const [code] = await once(idle, 'close');
    expect(code).toBe(0);
    expect(idle.output()).toMatch(/no client is connected and no run is training/);
  });

  it('says what is wrong with a configuration, and makes one for folders', async () => {
    const client = await place.client();
    const { problems } = await client.call(configCheck, { text: '{\n "data": { "paths": "x" },\n "trian": {} }' });
    expect(problems).toMatchObject([{ line: 3, column: 2, remedy: 'Did you mean "train"?' }]);
    const { text } = await client.call(configMake, { folders: ['/ct', '/xray'], preset: 'nano', name: 'mine' });
    expect(await client.call(configCheck, { text })).toEqual({ problems: [], notices: [] });
    expect(text).toMatch(/\/\/ .*\n/);
    const old = configText('old', 10, { engine: { library: '/tmp/tf' } });
    const ignored = expect.stringMatching(/`engine\.library` is ignored/);
    expect(await client.call(configCheck, { text: old })).toMatchObject({
      problems: [],
      notices: [{ field: 'engine.library', message: ignored }],
    });
    const from = { config: old, file: '/x.unimiss.jsonc' };
    expect(await client.call(runCreate, { from, start: false })).toMatchObject({ name: 'old', notices: [ignored] });
    await expect(createRun(client, 'no name!', 10)).rejects.toThrow(/is not a valid run name/);
  });

  it('follows the log of a run', async () => {
    const client = await place.client();
    const watcher = await RunWatcher.on(client);
    let text = '';
    const { id, folder } = await createRun(client, 'a', 20, false);
    const followed = new Promise<void>((resolve) => {
      client.listen(logAppended, (piece) => {
        text += piece.text;
        if (text.includes('finish at 20')) resolve();
      });
    });
    await client.call(logFollow, { run: id });
    await client.call(runStart, { run: id });
    await watcher.until(folder, (info) => info?.state === 'finished');
    await followed;
    expect(text).toBe(await readFile(join(folder, 'log.txt'), 'utf8'));
    const last = await client.call(logRead, { run: id, lines: 1 });
    expect(last.text.split('\n')).toHaveLength(2);
  });
});

describe('a process that is killed', () => {
  it('the trainer: the daemon lives, says how it died, and the run goes on from its checkpoint', async () => {
    const client = await place.client();
    const watcher = await RunWatcher.on(client);
    const { id, folder } = await createRun(client, 'waits', 30);
    await watcher.until(folder, trained(7));
    const { pid } = JSON.parse(await readFile(join(folder, 'lock'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    const dead = await watcher.until(folder, ended);
    expect(dead).toMatchObject({ state: 'interrupted', ending: { how: 'died', signal: 'SIGKILL' } });
    letGo(folder);
    await client.call(runStart, { run: id });
    await watcher.until(folder, (info) => info?.state === 'finished');
    expect(await stepsOf({ recordsFile: join(folder, 'records.jsonl') })).toEqual(
      Array.from({ length: 30 }, (_, i) => i),
    );
  });
});

describe('a socket', () => {
  it('goes to one of several daemons that are started at once', async () => {
    const daemons = Array.from({ length: 4 }, () => place.run('daemon', '--detached'));
    const clients = await Promise.all(Array.from({ length: 6 }, () => place.client()));
    const pids = new Set(clients.map((client) => client.daemon.unimiss.pid));
    expect(pids.size).toBe(1);
    const losers = daemons.filter((daemon) => !pids.has(daemon.pid!));
    await Promise.all(losers.map((loser) => loser.exitCode ?? once(loser, 'exit')));
    expect(losers.map((loser) => loser.exitCode)).toEqual(losers.map(() => 0));
  });

  it('that a dead process left is replaced', async () => {
    const server = createServer().listen(place.paths.socket);
    await once(server, 'listening');
    // A child that is killed leaves its socket's file; here a file of the same kind, on which nobody listens.
    const { spawnSync } = await import('node:child_process');
    server.close();
    await once(server, 'close');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(place.paths.socket)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    expect(statSync(place.paths.socket).isSocket()).toBe(true);
    expect((await place.client()).daemon.unimiss.pid).toBeGreaterThan(0);
  });

  it('is refused in a folder that others may enter', async () => {
    const open = join(place.folder, 'open');
    mkdirSync(open, { mode: 0o755 });
    place.env.UNIMISS_SOCKET = join(open, 'd.sock');
    const { code, output } = await place.finished('daemon');
    expect(code).not.toBe(0);
    expect(output).toMatch(/other users can access the folder.*chmod 700/s);
  });

  it('admits only its owner', async () => {
    await place.client();
    expect(statSync(place.paths.socket).mode & 0o077).toBe(0);
    expect(statSync(place.folder).mode & 0o077).toBe(0);
  });
});

describe('the commands', () => {
  it('connect joins the standard streams to the daemon, which it starts, and ends when the daemon does', async () => {
    const connect = place.run('connect');
    connect.stdin!.write(hello);
    await connect.says(/"serverInfo":{"name":"unimiss"/);
    const gone = once(connect, 'close');
    expect((await place.finished('daemon', 'stop')).code).toBe(0);
    expect(await gone).toEqual([0, null]);
  });

  it('connect passes on the answers to requests made before its standard input ended', async () => {
    const connect = place.run('connect');
    const report = frameOf({ jsonrpc: '2.0', id: 1, method: engineDoctor.method });
    connect.stdin!.end(hello + report);
    expect(await once(connect, 'close')).toEqual([0, null]);
    expect(connect.output()).toMatch(/"id":1,"result":{"text":".*TensorFlow/);
  });

  it('connect ends when its standard input does', async () => {
    const connect = place.run('connect');
    connect.stdin!.end();
    expect(await once(connect, 'close')).toEqual([0, null]);
  });

  it('tell the state of the daemon, and steer runs', async () => {
    expect(await place.finished('daemon', 'status')).toMatchObject({
      code: exitCodes.daemon.code,
      output: expect.stringMatching(/no daemon is running/),
    });
    const client = await place.client();
    const { id, folder } = await createRun(client, 'a', LONG);
    const watcher = await RunWatcher.on(client);
    await watcher.until(folder, trained(1));
    expect((await place.finished('daemon', 'status')).output).toMatch(/runs +1 training, 0 queued/);
    expect((await place.finished('logs', id, '-n', '10000')).output).toMatch(/start at 0/);
    expect((await place.finished('kill', id)).output).toMatch(/was killed/);
    expect((await watcher.until(folder, ended))?.ending?.how).toBe('killed');
    expect((await place.finished('stop', id)).output).toMatch(/not training in this daemon/);
  });
});

describe('versions', () => {
  it('of the protocol that the daemon does not speak are refused with a remedy', async () => {
    await place.client();
    const caught = await DaemonConnection.open(await place.raw(), { protocol: 0.5 }).catch((error) => error);
    expect(caught.message).toMatch(/is not a version.*whole number/s);
  });

  it('newer than the daemon continue with its version', async () => {
    await place.client();
    const newer = await DaemonConnection.open(await place.raw(), { protocol: 7 });
    expect(newer.daemon.unimiss.protocol).toBe(protocolVersion);
    newer.close();
  });
});
