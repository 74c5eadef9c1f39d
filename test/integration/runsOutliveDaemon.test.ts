import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLocked, lockRun, trainerOf } from '../../daemon/runs/folder/lock.ts';
import { daemonStatus, daemonStop } from '../../protocol/daemon/lifecycleMessages.ts';
import type { RunRecord } from '../../protocol/records/records.ts';
import {
  runContinue,
  runCreate,
  runKill,
  runPause,
  runStart,
  runStop,
  runsList,
} from '../../protocol/runs/messages.ts';
import { bundleScriptsOfControl } from '../daemon/bundle.ts';
import { lastStepFile } from '../daemon/fakeTrainer.ts';
import {
  alive,
  createRun,
  type DaemonPlace,
  ended,
  placeForEachTest,
  RunWatcher,
  trained,
  trainerPid,
} from '../daemon/harness.ts';
import { configText, makeRun, recordsOf, stepsOf } from '../daemon/runs.ts';
import { expectUndisturbed, killDaemon, killDaemons } from './killDaemon.ts';

/** What becomes of runs when their daemon dies, is stopped or is replaced: they go on, and the next daemon has them. */
let place: DaemonPlace;
placeForEachTest((fresh) => {
  place = fresh;
});

const LONG = 100_000;
const recordsIn = (folder: string) => recordsOf({ recordsFile: join(folder, 'records.jsonl') });
const events = async (folder: string) =>
  (await recordsIn(folder)).flatMap((record: RunRecord) => (record.kind === 'event' ? [record.event] : []));

describe('a daemon that is killed', () => {
  it('three times during one run costs it no step: the next has the same trainer, and the run ends as an undisturbed one', async () => {
    place.env.UNIMISS_FAKE_STEP_MS = '20';
    const folder = await killDaemons(place, 3, (client) => createRun(client, 'killed', LONG));
    const client = await place.client();
    const watcher = await RunWatcher.on(client);
    const info = await watcher.until(folder, trained(1));
    writeFileSync(join(folder, lastStepFile), String(info!.progress!.step + 50));
    const last = (await watcher.until(folder, ended))!.step! + 1;
    const whole = await createRun(client, 'whole', LONG, false);
    writeFileSync(join(whole.folder, lastStepFile), String(last));
    await client.call(runStart, { run: whole.id });
    await watcher.until(whole.folder, (run) => run?.state === 'finished');
    await expectUndisturbed(folder, whole.folder);
  });

  it('leaves its queue to the next one, in the same order, without a run that had left it', async () => {
    const first = await place.client();
    const { folder } = await createRun(first, 'a', LONG);
    await (await RunWatcher.on(first)).until(folder, trained(1));
    const left = await createRun(first, 'b', 10);
    const [c, d] = [await createRun(first, 'c', 10), await createRun(first, 'd', 10)];
    await first.call(runStop, { run: left.id });
    expect(statSync(place.paths.queue).mode & 0o777).toBe(0o600);
    await killDaemon(first);
    const next = await place.client();
    const { runs } = await next.call(runsList, {});
    const queue = (id: string) => runs.find((run) => run.id === id)?.queue;
    expect([left, c, d].map(({ id }) => queue(id))).toEqual([null, 1, 2]);
    const watcher = await RunWatcher.on(next);
    await next.call(runStop, { run: folder });
    for (const { folder: later } of [c, d])
      expect(await watcher.until(later, ended)).toMatchObject({ state: 'finished' });
    expect(readdirSync(dirname(place.paths.queue))).not.toContain(basename(place.paths.queue));
  });

  it('leaves a paused run paused; the next daemon steers what it adopted', async () => {
    const first = await place.client();
    const { folder, id } = await createRun(first, 'a', LONG);
    const watcher = await RunWatcher.on(first);
    await watcher.until(folder, trained(3));
    await first.call(runPause, { run: id });
    await watcher.until(folder, (info) => info?.activity === 'paused');
    const trainer = trainerPid(folder);
    await killDaemon(first);
    const next = await place.client();
    const again = await RunWatcher.on(next);
    expect(await again.until(folder, (info) => info?.activity === 'paused')).toMatchObject({ owner: 'daemon' });
    // The adopted run holds its device.
    const later = await createRun(next, 'b', 10);
    expect(later).toMatchObject({ activity: 'queued', queue: 1 });
    await next.call(runContinue, { run: id });
    await again.until(folder, (info) => info?.activity === 'training');
    await next.call(runStop, { run: id });
    expect(await again.until(folder, ended)).toMatchObject({ state: 'stopped', ending: { how: 'stopped' } });
    expect(trainerPid(folder)).toBe(trainer);
    const stop = (await recordsIn(folder)).findLast((record) => record.kind === 'event');
    expect(stop).toMatchObject({ event: 'stop', details: { by: 'client' } });
    expect(await again.until(later.folder, ended)).toMatchObject({ state: 'finished' });
  });

  it('is followed by one that finds its runs outside the folder of runs as well', async () => {
    const first = await place.client();
    const root = join(place.folder, 'elsewhere');
    const from = { config: configText('a', LONG), file: '/x.unimiss.jsonc' };
    const { folder } = await first.call(runCreate, { from, root });
    await (await RunWatcher.on(first)).until(folder, trained(1));
    await killDaemon(first);
    const next = await place.client();
    const found = (await next.call(runsList, {})).runs;
    expect(found).toMatchObject([{ folder, owner: 'daemon' }]);
    await next.call(runKill, { run: folder });
    expect(isLocked(join(folder, 'lock'))).toBe(false);
    expect((await recordsIn(folder)).at(-1)).toMatchObject({ event: 'warning', details: { how: 'killed' } });
  });

  it('and whose run finishes before the next one comes: that is what the next one tells', async () => {
    const first = await place.client();
    const { folder } = await createRun(first, 'a', 40);
    await (await RunWatcher.on(first)).until(folder, trained(3));
    const trainer = trainerPid(folder);
    await killDaemon(first);
    await expect.poll(() => alive(trainer), { timeout: 30_000 }).toBe(false);
    const { runs } = await (await place.client()).call(runsList, {});
    expect(runs).toMatchObject([{ state: 'finished', activity: null, step: 39 }]);
    expect(readdirSync(place.paths.trainers)).toEqual([]);
  });
});

describe('a trainer', () => {
  it('that dies while no daemon lives gets its ending, with its last words, from the next one, once', async () => {
    const first = await place.client();
    const { folder } = await createRun(first, 'a', LONG);
    await (await RunWatcher.on(first)).until(folder, trained(3));
    const trainer = trainerPid(folder);
    await killDaemon(first);
    process.kill(trainer, 'SIGUSR2'); // it crashes
    await expect.poll(() => alive(trainer), { timeout: 30_000 }).toBe(false);
    for (let n = 0; n < 2; n++) {
      const next = await place.client();
      await expect
        .poll(async () => (await recordsIn(folder)).at(-1))
        .toMatchObject({
          event: 'warning',
          message: expect.stringContaining('The training process died while no background server ran'),
          details: { how: 'died', lastWords: expect.stringContaining('last words of the trainer') },
        });
      expect((await next.call(runsList, {})).runs).toMatchObject([{ state: 'interrupted' }]);
      await next.call(daemonStop, {});
      await next.closed;
    }
    expect((await events(folder)).filter((event) => event === 'warning')).toHaveLength(1);
    expect(readdirSync(place.paths.trainers)).toEqual([]);
  });

  it('that is ended by a signal stops with a checkpoint, and says that no client asked for it', async () => {
    const client = await place.client();
    const { folder } = await createRun(client, 'a', LONG);
    const watcher = await RunWatcher.on(client);
    await watcher.until(folder, trained(3));
    process.kill(trainerPid(folder), 'SIGTERM');
    expect(await watcher.until(folder, ended)).toMatchObject({ state: 'stopped' });
    expect((await recordsIn(folder)).at(-1)).toMatchObject({
      event: 'stop',
      details: { by: 'signal', signal: 'SIGTERM' },
    });
  });

  it('has a socket that no other user can use', async () => {
    const client = await place.client();
    const { folder } = await createRun(client, 'a', LONG);
    await (await RunWatcher.on(client)).until(folder, trained(1));
    const { socket } = trainerOf(join(folder, 'lock'))!.control;
    expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(place.paths.trainers).mode & 0o777).toBe(0o700);
    if (process.getuid?.() !== 0) return;
    // As root we can be somebody else.
    const script = `require('net').createConnection(${JSON.stringify(socket)})
      .on('connect', () => console.log('in')).on('error', (error) => console.log(error.code))`;
    const other = spawnSync(process.execPath, ['-e', script], { uid: 65534, gid: 65534, timeout: 30_000, cwd: '/' });
    expect(String(other.stdout).trim()).toBe('EACCES');
  });

  it('whose socket is gone cannot be steered, but keeps its device, and is named', async () => {
    const first = await place.client();
    const { folder, id } = await createRun(first, 'a', LONG);
    await (await RunWatcher.on(first)).until(folder, trained(1));
    await killDaemon(first);
    const { control, pid } = trainerOf(join(folder, 'lock'))!;
    rmSync(control.socket);
    const next = await place.client();
    expect((await next.call(runsList, {})).runs).toMatchObject([{ state: 'running', owner: 'other', activity: null }]);
    await expect(next.call(runStop, { run: id })).rejects.toThrow(
      new RegExp(`training in process ${pid} .*kill -INT`, 's'),
    );
    const waiting = await createRun(next, 'b', 10);
    expect(waiting).toMatchObject({ activity: 'queued' });
    process.kill(pid, 'SIGINT');
    expect(await (await RunWatcher.on(next)).until(waiting.folder, ended)).toMatchObject({ state: 'finished' });
  });

  it('is not looked for at a socket that a free lock names', async () => {
    const run = await makeRun(place.runsRoot, 'old', 10);
    const socket = join(place.folder, 'stale.sock');
    (await lockRun(run.lockFile, { trainsFor: 'daemon', control: { version: 1, socket } })).release();
    writeFileSync(run.outputFile, 'the end\n');
    const client = await place.client();
    expect((await client.call(runsList, {})).runs).toMatchObject([{ activity: null, owner: null }]);
    expect((await recordsOf(run)).at(-1)).toMatchObject({ event: 'warning', details: { lastWords: 'the end' } });
    expect(readFileSync(run.logFile, 'utf8')).toMatch(/the end/);
  });
});

describe('a daemon that is stopped', () => {
  it('leaves its runs to the next one, and says so', async () => {
    const client = await place.client();
    const { folder } = await createRun(client, 'a', LONG);
    await (await RunWatcher.on(client)).until(folder, trained(3));
    const trainer = trainerPid(folder);
    expect((await place.finished('daemon', 'stop')).output).toMatch(
      /1 run will continue without the daemon.*--stop-runs/,
    );
    await client.closed;
    expect(alive(trainer)).toBe(true);
    const next = await place.client();
    await (await RunWatcher.on(next)).until(folder, (info) => info?.activity === 'training');
    expect((await place.finished('daemon', 'stop', '--stop-runs')).output).toMatch(
      /Stopping 1 run after the current step/,
    );
    expect(alive(trainer)).toBe(false);
    expect(await events(folder)).not.toContain('resume');
  });

  it('by a signal leaves them too', async () => {
    const client = await place.client();
    const { folder } = await createRun(client, 'a', LONG);
    await (await RunWatcher.on(client)).until(folder, trained(3));
    process.kill(client.daemon.unimiss.pid, 'SIGTERM');
    await client.closed;
    expect(isLocked(join(folder, 'lock'))).toBe(true);
    expect(await events(folder)).not.toContain('stop');
  });
});

describe('a daemon whose successor speaks another control protocol', () => {
  let later: Awaited<ReturnType<typeof bundleScriptsOfControl<'main'>>>;
  beforeAll(async () => {
    later = await bundleScriptsOfControl(2, 'main');
  });
  afterAll(() => later.remove());

  it('makes room for it, and stays until its runs have ended; both are shown', async () => {
    const first = await place.client();
    const old = first.daemon.unimiss.pid;
    const { folder, id } = await createRun(first, 'a', LONG);
    await (await RunWatcher.on(first)).until(folder, trained(3));
    const trainer = trainerPid(folder);
    const successor = place.beside(later.main);
    expect((await successor.finished('daemon', 'stop')).output).toMatch(/stays next to the new one until 1 run/);
    await first.closed;
    const next = await successor.client();
    expect(next.daemon.unimiss.pid).not.toBe(old);
    expect(next.daemon.unimiss.control).toBe(2);
    expect((await next.call(runsList, {})).runs).toMatchObject([{ id, state: 'running', owner: 'other' }]);
    expect((await next.call(daemonStatus, {})).retired).toMatchObject([{ pid: old, runs: [folder] }]);
    const { output } = await successor.finished('daemon', 'status');
    expect(output).toMatch(
      new RegExp(`earlier daemon +${old}, version .*still serves ${id}; reach it with UNIMISS_SOCKET=`),
    );
    // A run of the new daemon waits for the device that the old one's uses.
    const waiting = await createRun(next, 'b', 10);
    expect(waiting).toMatchObject({ activity: 'queued' });
    expect([alive(old), alive(trainer), trainerPid(folder)]).toEqual([true, true, trainer]);

    const { socket } = (await next.call(daemonStatus, {})).retired[0]!;
    place.env.UNIMISS_SOCKET = socket;
    expect((await place.finished('stop', id)).code).toBe(0);
    expect(await (await RunWatcher.on(next)).until(waiting.folder, ended)).toMatchObject({ state: 'finished' });
    await expect.poll(() => alive(old), { timeout: 30_000 }).toBe(false);
    expect((await next.call(daemonStatus, {})).retired).toEqual([]);
    expect(await events(folder)).toEqual(expect.arrayContaining(['start', 'stop']));
    expect(await events(folder)).not.toContain('resume');
    expect((await stepsOf({ recordsFile: join(folder, 'records.jsonl') })).length).toBeGreaterThan(3);
  });

  it('and that was killed leaves its runs alone; the next daemon does not touch them', async () => {
    const first = await place.client();
    const { folder, id } = await createRun(first, 'a', LONG);
    await (await RunWatcher.on(first)).until(folder, trained(3));
    await killDaemon(first);
    const next = await place.beside(later.main).client();
    const steps = (await stepsOf({ recordsFile: join(folder, 'records.jsonl') })).length;
    await expect(next.call(runKill, { run: id })).rejects.toThrow(/already training in process/);
    await expect
      .poll(async () => (await stepsOf({ recordsFile: join(folder, 'records.jsonl') })).length)
      .toBeGreaterThan(steps);
  });
});

it('a trainer that had just started when its daemon died is adopted by the next one', async () => {
  const first = await place.client();
  const { folder } = await createRun(first, 'a', LONG);
  await killDaemon(first);
  const next = await place.client();
  await (await RunWatcher.on(next)).until(folder, (info) => info?.activity === 'training');
  expect(await events(folder)).not.toContain('resume');
});
