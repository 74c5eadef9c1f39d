import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleScripts } from '../../../test/daemon/bundle.ts';
import { makeRun, recordsOf, stepsOf } from '../../../test/daemon/runs.ts';
import { isLocked, lockRun } from '../folder/lock.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { summarize } from '../records/list.ts';
import { type LiveState, Supervisor } from './supervisor.ts';

let scripts: Awaited<ReturnType<typeof bundleScripts<'main'>>>;
beforeAll(async () => {
  scripts = await bundleScripts('main');
});
afterAll(() => scripts.remove());

let root: string;
let supervisor: Supervisor;
let waiting: { test: () => boolean; resolve: () => void }[];
const log: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'unimiss-supervisor-'));
  waiting = [];
  supervisor = new Supervisor({
    trainer: { file: process.execPath, args: [scripts.main, 'worker'] },
    trainers: join(root, '.trainers'),
    queue: join(root, 'queue.json'),
    root,
    onChange: () => {
      for (const entry of waiting.filter(({ test }) => test())) entry.resolve();
    },
    log: (_, message) => log.push(message),
  });
});
afterEach(async () => {
  supervisor.killAll();
  await supervisor.close();
  await rm(root, { recursive: true });
});

/** Resolves at the first change after which `test` holds for a run. */
function until(run: RunFolder, test: (live: LiveState) => boolean): Promise<void> {
  if (test(supervisor.live(run.folder))) return Promise.resolve();
  return new Promise((resolve) => waiting.push({ test: () => test(supervisor.live(run.folder)), resolve }));
}
const idle = (run: RunFolder) => until(run, (live) => live.activity === null && live.ending !== null);
const atStep = (run: RunFolder, step: number) => until(run, (live) => (live.progress?.step ?? 0) >= step);

describe('a run', () => {
  it('is trained in a process of its own, to its end', async () => {
    const run = await makeRun(root, 'a', 20);
    await supervisor.start(run);
    await until(run, (live) => live.activity === 'training');
    expect(isLocked(run.lockFile)).toBe(true);
    await idle(run);
    expect(supervisor.live(run.folder).ending).toMatchObject({ how: 'finished', exitCode: 0, signal: null });
    expect(await summarize(run)).toMatchObject({ state: 'finished', step: 19 });
    await expect(supervisor.start(run)).rejects.toThrow(/is finished/);
  });

  it('stops with a checkpoint and continues from there', async () => {
    const run = await makeRun(root, 'a', 60);
    await supervisor.start(run);
    await atStep(run, 7);
    supervisor.stop(run);
    await idle(run);
    expect((await summarize(run)).state).toBe('stopped');
    await supervisor.start(run);
    await idle(run);
    expect(await stepsOf(run)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect((await recordsOf(run)).filter((r) => r.kind === 'event' && r.event === 'resume')).toHaveLength(1);
  });

  it('pauses, answers pings meanwhile, goes on, and stops while it is paused', async () => {
    const run = await makeRun(root, 'a', 1000);
    await supervisor.start(run);
    await atStep(run, 2);
    supervisor.pause(run);
    await until(run, (live) => live.activity === 'paused');
    expect(await supervisor.ping(run)).toBeLessThan(1000);
    supervisor.continue(run);
    await until(run, (live) => live.activity === 'training');
    supervisor.pause(run);
    await until(run, (live) => live.activity === 'paused');
    const done = (await stepsOf(run)).length;
    for (let i = 0; i < 20; i++) await supervisor.ping(run);
    supervisor.stop(run);
    await idle(run);
    expect(supervisor.live(run.folder).ending?.how).toBe('stopped');
    // It reports "paused" only after the running step has ended.
    expect((await stepsOf(run)).length).toBe(done);
  });

  it('is not started twice, nor where another process trains it', async () => {
    const run = await makeRun(root, 'a', 1000);
    const other = await makeRun(root, 'b', 1000);
    await supervisor.start(run);
    await expect(supervisor.start(run)).rejects.toThrow(/already training/);
    const lock = await lockRun(other.lockFile);
    await expect(supervisor.start(other)).rejects.toThrow(`training in process ${process.pid} `);
    lock.release();
  });
});

describe('a trainer that ends badly', () => {
  it('by a native crash: signal and last words are told and written, the run can be resumed', async () => {
    const run = await makeRun(root, 'segfault', 20);
    await supervisor.start(run);
    await idle(run);
    const { ending } = supervisor.live(run.folder);
    expect(ending).toMatchObject({ how: 'died', signal: 'SIGSEGV', lastWords: 'last words of the trainer' });
    expect(ending!.message).toMatch(/SIGSEGV.*native code/);
    expect((await summarize(run)).state).toBe('interrupted');
    expect((await recordsOf(run)).at(-1)).toMatchObject({ event: 'warning', details: { signal: 'SIGSEGV' } });
    expect(await readFile(run.logFile, 'utf8')).toMatch(/SIGSEGV.*last words of the trainer/s);
  });

  it('by SIGKILL from elsewhere: the kernel and memory are named', async () => {
    const run = await makeRun(root, 'a', 1000);
    await supervisor.start(run);
    await atStep(run, 6);
    const { pid } = JSON.parse(await readFile(run.lockFile, 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await idle(run);
    expect(supervisor.live(run.folder).ending!.message).toMatch(/SIGKILL.*memory/);
  });

  it('by an exit without a word', async () => {
    const run = await makeRun(root, 'exit', 20);
    await supervisor.start(run);
    await idle(run);
    expect(supervisor.live(run.folder).ending).toMatchObject({ how: 'died', exitCode: 3 });
  });

  it('by an error of the run: it is passed on whole', async () => {
    const run = await makeRun(root, 'diverges', 20);
    await supervisor.start(run);
    await idle(run);
    const { ending } = supervisor.live(run.folder);
    expect(ending).toMatchObject({ how: 'failed', error: { code: 'diverged', place: 'step 3', remedy: 'Lower it.' } });
    expect((await summarize(run)).state).toBe('failed');
  });

  it.each([true, false])(
    'by an image: the log names it only where names are not hidden (hidePaths: %s)',
    async (hidePaths) => {
      const run = await makeRun(root, 'broken', 20, { records: { hidePaths } });
      log.length = 0;
      await supervisor.start(run);
      await idle(run);
      // Viewers of the run get the whole error, since they see the images anyway.
      expect(supervisor.live(run.folder).ending?.error).toMatchObject({ code: 'data', images: ['Jane Doe 17.nii'] });
      expect(log.join('\n').includes('Jane')).toBe(!hidePaths);
      expect(log.join('\n')).toMatch(hidePaths ? /failed \(data\)/ : /17\.nii is empty/);
    },
  );

  it('that no longer responds can be killed', async () => {
    const run = await makeRun(root, 'deaf', 20);
    await supervisor.start(run);
    await expect.poll(() => isLocked(run.lockFile), { timeout: 30_000 }).toBe(true);
    supervisor.stop(run);
    await supervisor.kill(run);
    expect(supervisor.live(run.folder)).toMatchObject({ activity: null, ending: { how: 'killed' } });
    expect((await summarize(run)).state).toBe('interrupted');
  });

  it('that cannot be started says why', async () => {
    const run = await makeRun(root, 'a', 20);
    const broken = new Supervisor({
      trainer: { file: '/no/such/node', args: [] },
      trainers: join(root, '.trainers'),
      onChange: () => {},
      log: () => {},
    });
    await broken.start(run);
    await broken.close();
    expect(broken.live(run.folder).ending!.message).toMatch(/could not be started.*ENOENT/);
  });
});

describe('the queue', () => {
  it('lets one run at a time use a device, in the order of their starts', async () => {
    const [a, b, c] = [await makeRun(root, 'a', 1000), await makeRun(root, 'b', 10), await makeRun(root, 'c', 10)];
    for (const run of [a, b, c]) await supervisor.start(run);
    expect(supervisor.counts).toEqual({ training: 1, queued: 2 });
    expect([b, c].map((run) => supervisor.live(run.folder).queue)).toEqual([1, 2]);
    supervisor.stop(b);
    expect(supervisor.live(b.folder).activity).toBe(null);
    expect(supervisor.live(c.folder).queue).toBe(1);
    await supervisor.kill(a);
    await idle(c);
    expect((await summarize(c)).state).toBe('finished');
    expect((await summarize(b)).state).toBe('new');
  });

  it('starts a run first that was moved there, also for the next supervisor', async () => {
    const [a, b, c] = [await makeRun(root, 'a', 1000), await makeRun(root, 'b', 1000), await makeRun(root, 'c', 10)];
    for (const run of [a, b, c]) await supervisor.start(run);
    await supervisor.moveInQueue(c, 1);
    expect([b, c].map((run) => supervisor.live(run.folder).queue)).toEqual([2, 1]);
    expect(JSON.parse(await readFile(join(root, 'queue.json'), 'utf8')).runs).toEqual([c.folder, b.folder]);
    expect(() => supervisor.moveInQueue(a, 1)).toThrow(/does not wait in the queue/);
    await supervisor.kill(a);
    await idle(c);
    expect((await summarize(c)).state).toBe('finished');
  });

  it('does not block those who will not wait, or who use another device', async () => {
    const [a, b] = [await makeRun(root, 'a', 1000), await makeRun(root, 'b', 10)];
    const gpu = await makeRun(root, 'c', 10, { engine: { device: 'cuda', gpu: 1 } });
    await supervisor.start(a);
    await supervisor.start(b, { wait: false });
    await supervisor.start(gpu);
    await idle(b);
    await idle(gpu);
    expect(supervisor.live(a.folder).activity).not.toBe(null);
  });

  it('is forgotten when the supervisor closes; running ones stop with a checkpoint', async () => {
    const [a, b] = [await makeRun(root, 'a', 1000), await makeRun(root, 'b', 10)];
    await supervisor.start(a);
    await supervisor.start(b);
    await atStep(a, 2);
    await supervisor.close();
    expect((await summarize(a)).state).toBe('stopped');
    expect((await summarize(b)).state).toBe('new');
    await expect(supervisor.start(b)).rejects.toThrow(/daemon is stopping/);
  });
});
