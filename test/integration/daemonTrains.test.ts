import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ping } from '../../protocol/daemon/lifecycleMessages.ts';
import { metricsSubscribe, metricsUpdate } from '../../protocol/metrics/messages.ts';
import type { MetricsMessage } from '../../protocol/metrics/page.ts';
import { runContinue, runCreate, runPause, runStart, runStop } from '../../protocol/runs/messages.ts';
import { DaemonPlace, ended, RunWatcher, trained } from '../daemon/harness.ts';
import { stepsOf } from '../daemon/runs.ts';
import { fewPhantoms, smallConfig, temporaryFolder } from './trainer.ts';

const folder = temporaryFolder('daemon');
const place = new DaemonPlace(resolve('dist/daemon/main.js'));
afterAll(async () => {
  await place.close();
  rmSync(folder, { recursive: true });
});

it('the real trainer: paused, killed, stopped and resumed through the daemon, to the end of the run', {
  timeout: 300_000,
}, async () => {
  const manifest = await fewPhantoms(join(folder, 'images'));
  const client = await place.client();
  const watcher = await RunWatcher.on(client);
  const config = JSON.stringify(smallConfig(manifest, (c) => Object.assign(c, { train: { ...c.train, epochs: 10 } })));
  const { id, folder: run } = await client.call(runCreate, { from: { config, file: join(folder, 'a.unimiss.jsonc') } });
  const messages: MetricsMessage[] = [];
  client.listen(metricsUpdate, ({ message }) => messages.push(message));
  await client.call(metricsSubscribe, { runs: [id] });

  await watcher.until(run, trained(2));
  await client.call(runPause, { run: id });
  await watcher.until(run, (info) => info?.activity === 'paused');
  expect((await client.call(ping, { run: id })).trainerMs).toEqual(expect.any(Number));
  await client.call(runContinue, { run: id });
  await watcher.until(run, trained(6));
  process.kill(JSON.parse(readFileSync(join(run, 'lock'), 'utf8')).pid, 'SIGKILL');
  expect(await watcher.until(run, ended)).toMatchObject({ state: 'interrupted', ending: { signal: 'SIGKILL' } });

  await client.call(runStart, { run: id });
  await watcher.until(run, trained(9));
  await client.call(runStop, { run: id });
  expect(await watcher.until(run, ended)).toMatchObject({ state: 'stopped', ending: { how: 'stopped' } });

  await client.call(runStart, { run: id });
  const last = await watcher.until(run, (info) => ended(info) && info?.state !== 'stopped');
  expect(last).toMatchObject({ state: 'finished', ending: { how: 'finished', exitCode: 0 } });
  const steps = await stepsOf({ recordsFile: join(run, 'records.jsonl') });
  expect(steps).toEqual(Array.from(steps, (_, i) => i));
  expect(steps.at(-1)).toBe(last!.step);

  await expect.poll(() => messages.at(-1), { timeout: 10_000 }).toMatchObject({ state: 'finished' });
  expect(messages.map((message) => message.sequence)).toEqual(messages.map((_, i) => i + 1));
  const pictures = messages.flatMap((m) =>
    m.type === 'append' ? (m.previews ?? []) : m.type === 'snapshot' ? m.runs[0]!.previews : [],
  );
  expect(new Set(pictures.map((preview) => preview.phase))).toEqual(new Set(['2D', '3D']));
});
