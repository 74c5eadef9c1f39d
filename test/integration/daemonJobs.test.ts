import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CancellationTokenSource } from 'vscode-jsonrpc/node.js';
import type { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { progressNotification } from '../../protocol/daemon/lifecycleMessages.ts';
import { embed } from '../../protocol/jobs/embedMessages.ts';
import { predict } from '../../protocol/jobs/predictMessages.ts';
import { runStop } from '../../protocol/runs/messages.ts';
import { createRun, type DaemonPlace, ended, placeForEachTest, RunWatcher, trained } from '../daemon/harness.ts';

/** Jobs and runs share the devices of the machine by one ledger. */
let place: DaemonPlace;
placeForEachTest((fresh) => {
  place = fresh;
});

const LONG = 100_000;

/** What is told under a token: its texts, and how to wait for one. */
function progressOf(client: DaemonConnection, token: string): (pattern: RegExp) => Promise<void> {
  const told: string[] = [];
  const looking = new Set<() => void>();
  client.listen(progressNotification, ({ token: of, value }) => {
    if (of !== token || value.kind !== 'report') return;
    told.push(value.message ?? '');
    for (const look of [...looking]) look();
  });
  return (pattern) =>
    new Promise((resolve) => {
      const look = () => {
        if (told.some((text) => pattern.test(text))) resolve();
      };
      looking.add(look);
      look();
    });
}

it('a job waits for the device that a run uses, says so, and is done when the run has ended', async () => {
  const client = await place.client();
  const watcher = await RunWatcher.on(client);
  const run = await createRun(client, 'a', LONG);
  await watcher.until(run.folder, trained(1));
  const told = progressOf(client, 'job');
  const embedding = client.call(embed, { run: run.id, workDoneToken: 'job' });
  await told(new RegExp(`^Waiting for cpu, in use by ${run.id}$`));
  // A run that comes later waits behind the job.
  const later = await createRun(client, 'b', 10);
  expect(later).toMatchObject({ activity: 'queued', queue: 2 });
  await client.call(runStop, { run: run.id });
  expect(await embedding).toMatchObject({ notices: ['done by the fake job'] });
  expect(await watcher.until(later.folder, ended)).toMatchObject({ state: 'finished' });
});

it('a waiting job can be cancelled, and then blocks nobody', async () => {
  const client = await place.client();
  const watcher = await RunWatcher.on(client);
  const run = await createRun(client, 'a', LONG);
  const told = progressOf(client, 'job');
  const cancel = new CancellationTokenSource();
  const embedding = client.call(embed, { run: run.id, workDoneToken: 'job' }, cancel.token);
  await told(/^Waiting for cpu/);
  const later = await createRun(client, 'b', 10);
  expect(later.queue).toBe(2);
  cancel.cancel();
  await expect(embedding).rejects.toMatchObject({ code: 'interrupted' });
  expect(await watcher.until(later.folder, (info) => info?.queue === 1)).toBeTruthy();
  await client.call(runStop, { run: run.id });
  expect(await watcher.until(later.folder, ended)).toMatchObject({ state: 'finished' });
});

it('on request, a job learns at once who uses the device, or shares it', async () => {
  const client = await place.client();
  const run = await createRun(client, 'a', LONG);
  await expect(client.call(embed, { run: run.id, whenBusy: 'refuse' })).rejects.toMatchObject({
    code: 'run',
    message: expect.stringContaining(`in use by ${run.id}`),
  });
  expect((await client.call(embed, { run: run.id, whenBusy: 'share' })).notices).toHaveLength(1);
});

it('a file that a job makes for looking at is removed at its end, and none that was there', async () => {
  const client = await place.client();
  const watcher = await RunWatcher.on(client);
  const { folder } = await createRun(client, 'a', 10);
  await watcher.until(folder, ended);
  const ask = (growing: string) =>
    client.call(predict, { run: folder, input: '/images', out: join(place.folder, 'labels'), growing });
  const growing = join(folder, 'growing.nii');
  expect((await ask(growing)).notices).toEqual(['done by the fake job']);
  expect(existsSync(growing)).toBe(false);
  writeFileSync(growing, 'ours');
  await expect(ask(growing)).rejects.toThrow(/EEXIST/);
  expect(readFileSync(growing, 'utf8')).toBe('ours');
});
