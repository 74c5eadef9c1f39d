import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { daemonStatus } from '../../protocol/daemon/lifecycleMessages.ts';
import type { RunRecord } from '../../protocol/records/records.ts';
import { runGet, runKill, runPause, runsList } from '../../protocol/runs/messages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { bundleScripts } from '../daemon/bundle.ts';
import { alive, createRun, DaemonPlace, ended, RunWatcher, trained, trainerPid } from '../daemon/harness.ts';
import { configText, recordsOf } from '../daemon/runs.ts';
import { killDaemon } from './killDaemon.ts';

/** `pretrain`, `resume` and `runs` by the daemon, whose runs are those of the fake trainer. */

let scripts: Awaited<ReturnType<typeof bundleScripts<'main'>>>;
let place: DaemonPlace;
let client: DaemonConnection;
let watcher: RunWatcher;
beforeAll(async () => {
  scripts = await bundleScripts('main');
  place = new DaemonPlace(scripts.main);
  client = await place.client();
  watcher = await RunWatcher.on(client);
});
afterEach(async () => {
  // What a test that failed left would keep the next from the device.
  const { runs } = await (await place.client()).call(runsList, {});
  for (const run of runs) if (run.activity !== null) await client.call(runKill, { run: run.folder });
});
afterAll(async () => {
  await place.close();
  scripts.remove();
});

const LONG = 100_000;

function config(name: string, steps: number): string {
  const file = join(place.folder, `${name}.unimiss.jsonc`);
  writeFileSync(file, configText(name, steps));
  return file;
}

/** Starts a run by the command, and waits until some steps are done. */
async function pretrain(
  name: string,
  ...args: string[]
): Promise<{ command: ReturnType<typeof place.run>; run: RunInfo }> {
  const command = place.run('pretrain', config(name, LONG), ...args);
  const run = await watcher.untilNamed(name, trained(3));
  return { command, run };
}

async function codeOf(command: ChildProcess): Promise<number | null> {
  const [code] = await once(command, 'close');
  return code;
}

const recordsIn = (output: string): RunRecord[] =>
  output.split('\n').flatMap((line) => (line.startsWith('{"kind"') ? [JSON.parse(line)] : []));

it('delete asks before it moves a run into .trash', async () => {
  const run = await createRun(client, 'unwanted', 10);
  await watcher.until(run.folder, ended);
  expect(await place.finished('delete', run.id)).toMatchObject({
    code: 7,
    output: expect.stringMatching(/cannot ask for confirmation[\s\S]*--yes/),
  });
  const { code, output } = await place.finished('delete', run.id, '--yes');
  expect(code, output).toBe(0);
  expect(readdirSync(join(place.runsRoot, '.trash'))).toEqual([expect.stringMatching(`^${run.id}-deleted-`)]);
  await watcher.until(run.folder, (info) => info === undefined);
});

it('an impossible request ends with its exit code, and leaves no run behind', async () => {
  expect(await place.finished('resume')).toMatchObject({ code: 7, output: expect.stringMatching(/no run to resume/) });
  const run = await createRun(client, 'done', 10);
  await watcher.until(run.folder, ended);
  expect(await place.finished('resume', run.id)).toMatchObject({
    code: 7,
    output: expect.stringMatching(/is finished\n.*train\.initialWeights/),
  });
  expect(await place.finished('resume', 'elsewhere')).toMatchObject({
    code: 7,
    output: expect.stringMatching(/there is no run[\s\S]*unimiss runs/),
  });
});

it('pretrain shows the run that the daemon trains, to its end, with every record for scripts', async () => {
  const { code, output } = await place.finished('pretrain', config('a', 30), '--json');
  expect(code, output).toBe(0);
  const { folder } = await watcher.untilNamed('a', ended);
  expect(recordsIn(output)).toEqual(await recordsOf({ recordsFile: join(folder, 'records.jsonl') }));
  expect(output).toMatch(new RegExp(`Run folder: ${folder}\n`));
  expect(output).toMatch(/Finished\. Show the results with: {2}unimiss metrics a-/);
});

it('Ctrl-C stops the run with a checkpoint, and resume continues from there', async () => {
  const { command, run } = await pretrain('interrupted', '--json');
  const closed = codeOf(command);
  command.kill('SIGINT');
  expect(await closed, command.output()).toBe(130);
  expect(command.output()).toMatch(
    /finishes its current step, saves a checkpoint and stops[\s\S]*Stopped\. Resume with: {2}unimiss resume interrupted-/,
  );
  const stopped = await watcher.until(run.folder, ended);
  expect(stopped).toMatchObject({ state: 'stopped' });

  const resumed = place.run('resume', '--json');
  await watcher.until(run.folder, (info) => (info?.progress?.step ?? 0) > stopped!.step! + 3);
  const done = codeOf(resumed);
  resumed.kill('SIGTERM');
  expect(await done).toBe(130);
  const told = recordsIn(resumed.output());
  expect(told[0]).toMatchObject({ event: 'resume' });
  expect(told).toEqual((await recordsOf({ recordsFile: join(run.folder, 'records.jsonl') })).slice(-told.length));
});

it('a second Ctrl-C ends the command at once, which says what becomes of the run', async () => {
  const command = place.run('pretrain', config('deaf', 20));
  const { folder } = await watcher.untilNamed('deaf', (info) => info?.activity === 'starting');
  await expect.poll(() => command.output()).toContain('Run folder: ');
  const closed = once(command, 'close');
  command.kill('SIGINT');
  await expect.poll(() => command.output()).toMatch(/deaf-\S+ finishes its current step[\s\S]*Ctrl-C again/);
  command.kill('SIGINT');
  expect(await closed).toEqual([null, 'SIGINT']);
  expect(command.output()).toMatch(/This command no longer waits\. deaf-\S+ stops in the background: `unimiss runs`/);
  await watcher.until(folder, (info) => info?.activity === 'stopping');
});

it('a terminal that is closed leaves the run alone', async () => {
  const { command, run } = await pretrain('left');
  command.kill('SIGHUP');
  await codeOf(command);
  const { step } = watcher.get(run.folder)!.progress!;
  await watcher.until(run.folder, trained(step + 5));
});

it('--detach returns at once; a second run waits in the queue; stop ends both', async () => {
  expect(await place.finished('pretrain', config('detached', LONG), '--detach')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/The daemon is training detached-\S+\.[\s\S]*unimiss stop detached-/),
  });
  expect(await place.finished('pretrain', config('second', LONG), '-d')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/second-\S+ waits for cpu, at position 1 in the queue/),
  });
  const { output } = await place.finished('runs');
  expect(output).toMatch(/second-\S+ +queued \(1\)/);
  expect(output).toMatch(/detached-\S+ +(starting|training)/);
  const third = place.run('pretrain', config('third', LONG));
  const waiting = await watcher.untilNamed('third', (info) => info?.activity === 'queued');
  const left = codeOf(third);
  third.kill('SIGINT');
  expect(await left, third.output()).toBe(130);
  expect(third.output()).toContain('Removed from the queue. Start it with:  unimiss resume third-');
  const second = await watcher.untilNamed('second', (info) => info?.activity === 'queued');
  expect(await place.finished('stop', second.id)).toMatchObject({
    output: expect.stringMatching(/has left the queue/),
  });
  expect(await watcher.until(waiting.folder, ended)).toMatchObject({ state: 'new' });
});

it('pause, continue, logs, stop and kill find a run by its name in the folder that --runs names', async () => {
  const runs = ['--runs', join(place.folder, 'elsewhere')];
  await place.finished('pretrain', config('apart', LONG), '--detach', ...runs);
  const { id, folder } = await watcher.untilNamed('apart', trained(3));
  const activity = (wanted: string) => watcher.until(folder, (info) => info?.activity === wanted);
  const done = (...args: string[]) => expect(place.finished(...args, id, ...runs)).resolves.toMatchObject({ code: 0 });
  await done('pause');
  await activity('paused');
  await done('continue');
  await activity('training');
  expect((await place.finished('logs', id, ...runs)).output).toContain('checkpoint at');
  expect((await place.finished('logs', ...runs)).output).toContain('checkpoint at');
  await done('stop');
  const gone = (info: RunInfo | undefined) => info === undefined; // where nothing is done, only runs of the own root are told
  await watcher.until(folder, gone);
  await place.finished('resume', id, '--detach', ...runs);
  await activity('training');
  await done('kill');
  await watcher.until(folder, gone);
  expect(await client.call(runGet, { run: folder })).toMatchObject({ ending: { how: 'killed' } });
});

it('resume continues a paused run', async () => {
  const { command, run } = await pretrain('held');
  await client.call(runPause, { run: run.id });
  await watcher.until(run.folder, (info) => info?.activity === 'paused');
  expect((await place.finished('runs')).output).toMatch(/held-\S+ +paused/);
  const { step } = watcher.get(run.folder)!.progress!;
  const resumed = place.run('resume');
  // Steps that were under way when it was paused are told later: by them alone the command need not have begun.
  await watcher.until(run.folder, (info) => info?.activity === 'training');
  await watcher.until(run.folder, trained(step + 3));
  const both = [codeOf(command), codeOf(resumed)];
  resumed.kill('SIGINT');
  expect(await Promise.all(both)).toEqual([130, 130]);
});

it.each([
  ['diverges', 9, /the loss is not finite\n {2}Lower it\./],
  ['exit', 7, /exited with code 3[\s\S]*unimiss resume exit-/],
  ['segfault', 7, /SIGSEGV[\s\S]*last words of the trainer[\s\S]*unimiss resume segfault-/],
])('a run that %s ends the command with exit code %i and says why', async (name, expected, message) => {
  const { code, output } = await place.finished('pretrain', config(name, 30));
  expect(output).toMatch(message);
  expect(code).toBe(expected);
});

it('says when the daemon was started with other variables than are set here', async () => {
  Object.assign(place.env, { CUDA_VISIBLE_DEVICES: '1' });
  const { code, output } = await place.finished('runs');
  delete place.env.CUDA_VISIBLE_DEVICES;
  expect(code).toBe(0);
  expect(output).toMatch(/started with a different CUDA_VISIBLE_DEVICES[\s\S]*daemon stop/);
});

it('a run that is killed elsewhere ends the command with what to do', async () => {
  const { command, run } = await pretrain('killed');
  const code = codeOf(command);
  await client.call(runKill, { run: run.id });
  expect(await code).toBe(130);
  expect(command.output()).toMatch(/the run was killed on request[\s\S]*unimiss resume killed-/);
  expect(command.output(), 'it is said once').not.toMatch(/Killed on request/);
});

it('a daemon that dies is started again by the command, which shows the same run to its end', async () => {
  const { command, run } = await pretrain('orphan', '--json');
  const code = codeOf(command);
  const trainer = trainerPid(run.folder);
  for (let kills = 1; kills <= 2; kills++) {
    const { pid } = await client.call(daemonStatus, {});
    await killDaemon(client);
    await expect.poll(() => command.output().split('The daemon died; orphan-').length - 1).toBe(kills);
    client = await place.client();
    watcher = await RunWatcher.on(client);
    const { step } = (await watcher.until(run.folder, trained(1)))!.progress!;
    expect(await watcher.until(run.folder, trained(step + 3))).toMatchObject({ owner: 'daemon' });
    expect(client.daemon.unimiss.pid).not.toBe(pid);
  }
  expect(alive(trainer)).toBe(true);
  expect(trainerPid(run.folder), 'the trainer is the same').toBe(trainer);
  command.kill('SIGINT');
  expect(await code, command.output()).toBe(130);
  const shown = recordsIn(command.output()).flatMap((record) => (record.kind === 'step' ? [record.step] : []));
  expect(shown, 'each step is shown once').toEqual(Array.from(shown, (_, i) => i));
  expect(shown).toEqual(
    (await recordsOf({ recordsFile: join(run.folder, 'records.jsonl') })).flatMap((r) =>
      r.kind === 'step' ? [r.step] : [],
    ),
  );
});

it('a daemon that is stopped ends the command, and the run continues', async () => {
  const { command, run } = await pretrain('kept');
  const code = codeOf(command);
  const trainer = trainerPid(run.folder);
  await place.finished('daemon', 'stop');
  expect(await code).not.toBe(0);
  expect(command.output()).toMatch(/the daemon was stopped; the run continues without it[\s\S]*unimiss logs -f kept-/);
  expect(alive(trainer)).toBe(true);
  client = await place.client();
  watcher = await RunWatcher.on(client);
  expect(await watcher.until(run.folder, trained(1))).toMatchObject({ owner: 'daemon' });
});
