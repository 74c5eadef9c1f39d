import { expect, test, vi } from 'vitest';
import type { Job } from '../../../protocol/jobs/jobs.ts';
import { DeviceLedger } from '../supervise/deviceLedger.ts';
import { KeptJobs } from './keptJobs.ts';
import { type QueuedJob, queueJob } from './queueJob.ts';

const job: Job = { name: 'predict', task: {} };
/** Answers with its process's id, as often as it is asked. */
const script = `process.on('message', ({ stays }) =>
  process.send({ type: 'done', result: process.pid }, () => stays || process.exit()))`;
const command = { file: process.execPath, args: ['-e', script] };

function queue(ledger: DeviceLedger, kept: KeptJobs, change: Partial<QueuedJob> = {}) {
  return queueJob(ledger, command, {
    ...{ job, devices: ['cpu'], who: 'predict of a', whenBusy: 'wait', signal: new AbortController().signal },
    ...{ keep: { key: 'a', ms: 60_000, by: kept }, onProgress: () => {} },
    ...change,
  }) as Promise<number>;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
const gone = (pid: number) => vi.waitUntil(() => !isAlive(pid), { timeout: 30_000 });

test('the next job of the same network has the process of the last; another network has its own', async () => {
  const ledger = new DeviceLedger();
  const kept = new KeptJobs(ledger);
  const first = await queue(ledger, kept);
  expect(await queue(ledger, kept)).toBe(first);
  // Two at once: the second waits, and goes on with the same process.
  expect(await Promise.all([queue(ledger, kept), queue(ledger, kept)])).toEqual([first, first]);
  const other = await queue(ledger, kept, { keep: { key: 'b', ms: 60_000, by: kept } });
  expect(other).not.toBe(first);
  await gone(first);
  kept.take('b')?.end();
  await gone(other);
});

test('the device is released as soon as a run claims it, also a run that waited meanwhile', async () => {
  const ledger = new DeviceLedger();
  const kept = new KeptJobs(ledger);
  const first = await queue(ledger, kept);
  const run = ledger.claim({ devices: ['cpu'], who: 'run', whenBusy: 'refuse' });
  expect(run.held).toBe(true);
  await gone(first);
  run.release();

  let waiting: ReturnType<DeviceLedger['claim']> | undefined;
  const second = await queue(ledger, kept, {
    job: { ...job, task: 'while a run waits' },
    // The job has the device when it sends progress or an answer; a run asks for it meanwhile.
    signal: new Proxy(new AbortController().signal, {
      get(target, name) {
        if (name === 'addEventListener')
          waiting ??= ledger.claim({ devices: ['cpu'], who: 'waiting run', whenBusy: 'wait' });
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
  });
  expect(waiting?.held).toBe(true);
  await gone(second);
});

test('it ends when its time is over, and a process that died is not taken', async () => {
  const ledger = new DeviceLedger();
  const kept = new KeptJobs(ledger);
  await gone(await queue(ledger, kept, { keep: { key: 'a', ms: 1, by: kept } }));
  const first = await queue(ledger, kept);
  process.kill(first, 'SIGKILL');
  await vi.waitUntil(() => kept.take('a') === undefined, { timeout: 30_000 });
  const second = await queue(ledger, kept);
  expect(second).not.toBe(first);
  kept.take('a')?.end();
  await gone(second);
});
