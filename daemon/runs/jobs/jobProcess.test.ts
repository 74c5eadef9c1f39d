import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Job } from '../../../protocol/jobs/jobs.ts';
import { JobProcess, jobInProcess } from './jobProcess.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-job-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const job: Job = { name: 'embed', task: { run: '/runs/a', network: 'teacher', weights: 'last' } };

/** Lets a script act as the job's process. */
function doneBy(script: string, signal = new AbortController().signal, progress: unknown[] = []): Promise<unknown> {
  const command = { file: process.execPath, args: ['-e', script] };
  return jobInProcess(command, job, signal, (...told) => progress.push(told));
}

test('the job is passed on; progress and result come back', async () => {
  const progress: unknown[] = [];
  const script = `process.once('message', (job) => {
    process.send({ type: 'progress', what: 'Features', done: 1, total: 2 });
    process.send({ type: 'done', result: job.task.run }, () => process.exit());
  })`;
  expect(await doneBy(script, undefined, progress)).toBe('/runs/a');
  expect(progress).toEqual([['Features', 1, 2]]);
});

test('an error that the process tells is thrown as it is', async () => {
  const script = `process.once('message', () => process.send(
    { type: 'failed', error: { code: 'checkpoint', what: 'there is none', remedy: 'Wait.' } }, () => process.exit(1)))`;
  await expect(doneBy(script)).rejects.toMatchObject({ code: 'checkpoint', message: 'there is none\n  Wait.' });
});

test.each([
  [
    'process.stderr.write("last words\\n"); process.kill(process.pid, "SIGSEGV")',
    /was killed by SIGSEGV[\s\S]*last words/,
  ],
  ['process.exit(3)', /exited with code 3/],
  ['process.send({ nonsense: 1 }, () => process.exit())', /exited with code 0[\s\S]*invalid message/],
])('a process that dies (%s) is told with its last words', async (script, message) => {
  await expect(doneBy(script)).rejects.toThrow(message);
});

test('a missing program is reported', async () => {
  const command = { file: join(folder, 'nothing'), args: [] };
  await expect(jobInProcess(command, job, new AbortController().signal, () => {})).rejects.toThrow(
    /could not be started.*ENOENT/,
  );
});

test('aborting ends the process at once', async () => {
  const cancel = new AbortController();
  const mark = join(folder, 'mark');
  const script = `process.on('SIGTERM', () => {});
    process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(mark)}, ''));
    process.send({ type: 'progress', what: 'x', done: 0, total: 1 }); setInterval(() => {}, 1000)`;
  const command = { file: process.execPath, args: ['-e', script] };
  const done = jobInProcess(command, job, cancel.signal, () => cancel.abort());
  await expect(done).rejects.toMatchObject({ code: 'interrupted' });
  expect(existsSync(mark)).toBe(false);
  await expect(jobInProcess(command, job, cancel.signal, () => {})).rejects.toThrow();
});

test('a process that may stay does one job after another, and keeps what it knows; without leave it ends', async () => {
  const script = `let done = 0;
    process.on('message', ({ stays }) => {
      done++;
      process.send({ type: 'done', result: [process.pid, done] }, () => stays || process.exit());
    })`;
  const stays = new JobProcess({ file: process.execPath, args: ['-e', script] });
  const never = new AbortController().signal;
  const [pid, first] = (await stays.run({ ...job, stays: true }, never, () => {})) as [number, number];
  expect([first, stays.alive]).toEqual([1, true]);
  expect(await stays.run({ ...job, stays: true }, never, () => {})).toEqual([pid, 2]);
  expect(await stays.run(job, never, () => {})).toEqual([pid, 3]);
  expect(stays.alive).toBe(false);
  await expect(stays.run(job, never, () => {})).rejects.toThrow(/exited with code 0/);
});
