import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reportPage } from '../../daemon/evaluate/report/report.ts';
import { isLocked } from '../../daemon/runs/folder/lock.ts';
import { configCheck, configMake } from '../../protocol/config/messages.ts';
import { metricsSubscribe, metricsUpdate } from '../../protocol/metrics/messages.ts';
import type { MetricsSnapshot } from '../../protocol/metrics/page.ts';
import { runCreate, runStart } from '../../protocol/runs/messages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { bundleScripts } from '../daemon/bundle.ts';
import { DaemonPlace, ended, RunWatcher, trained, trainerPid } from '../daemon/harness.ts';
import { recordsOf } from '../daemon/runs.ts';
import { hasChromium, openBrowser, watchedPage } from '../metrics/browser.ts';

/** A kind of run that the product does not have goes through supervisor, worker, records, checkpoints and page as they are. */

const epochs = 60;
const steps = epochs * 50;

let scripts: Awaited<ReturnType<typeof bundleScripts<'toy'>>>;
let place: DaemonPlace;
let browser: Browser | undefined;
beforeAll(async () => {
  scripts = await bundleScripts('toy');
  place = new DaemonPlace(scripts.toy);
  if (hasChromium) browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await place?.close();
  scripts?.remove();
});

const config = (name: string) =>
  JSON.stringify({ task: 'toy', name, epochs, checkpoint: { everyEpochs: 1, keepLast: 1, keepBest: false } });
const create = async (name: string): Promise<[RunWatcher, RunInfo]> => {
  const client = await place.client();
  const watcher = await RunWatcher.on(client);
  return [
    watcher,
    await client.call(runCreate, { from: { config: config(name), file: '/x.unimiss.jsonc' }, start: true }),
  ];
};
const lastCheckpoint = (folder: string) => {
  const checkpoints = join(folder, 'checkpoints');
  return readFileSync(
    join(
      checkpoints,
      readdirSync(checkpoints)
        .filter((name) => name.endsWith('.safetensors'))
        .sort()
        .at(-1)!,
    ),
  );
};
const lossesOf = async (folder: string) => {
  const records = await recordsOf({ recordsFile: join(folder, 'records.jsonl') });
  return records.flatMap((record) =>
    record.kind === 'step' ? [[record.step, record.loss, record.values.distance]] : [],
  );
};

it('a configuration of the toy is made and checked by the daemon as those of the product are', async () => {
  const client = await place.client();
  const { text } = await client.call(configMake, { task: 'toy', folders: ['/none'], name: 'mine' });
  expect(JSON.parse(text)).toEqual({ task: 'toy', epochs: 1, name: 'mine' });
  expect(await client.call(configCheck, { text })).toEqual({ problems: [], notices: [] });
  const { problems } = await client.call(configCheck, { text: '{ "task": "toy", "epochs": 1, "sead": 3 }' });
  expect(problems).toMatchObject([{ field: 'sead', remedy: 'Did you mean "seed"?' }]);
});

it('a toy run that is killed and resumed ends as one that was not, and shows its own curves', async () => {
  const [unbroken, calm] = await create('calm');
  expect(await unbroken.until(calm.folder, ended)).toMatchObject({ state: 'finished', preset: 'linear' });

  for (const where of [[], ['--foreground']]) {
    const { code, output } = await place.finished('metrics', calm.folder, ...where);
    expect(output).toMatch(
      /calm-\S+: finished, linear[\s\S]*Run +first +last +best +limit\n +Distance after the epoch [\s\S]*Distance to the truth/,
    );
    expect(code).toBe(0);
    expect((await place.finished('runs', ...where)).output).toMatch(/calm-\S+ +finished +linear/);
  }

  const [watcher, { folder, id }] = await create('killed');
  await watcher.until(folder, trained(120));
  process.kill(trainerPid(folder), 'SIGKILL');
  const died = await watcher.until(folder, ended);
  expect(died).toMatchObject({ state: 'interrupted', ending: { how: 'died', signal: 'SIGKILL' } });
  expect(isLocked(join(folder, 'lock'))).toBe(false);
  expect(died!.step).toBeLessThan(steps - 1);
  const client = await place.client();
  await client.call(runStart, { run: id });
  expect(await watcher.until(folder, (info) => info?.state === 'finished')).toMatchObject({ step: steps - 1 });

  const losses = await lossesOf(folder);
  expect(losses).toHaveLength(steps);
  expect(losses).toEqual(await lossesOf(calm.folder));
  const text = (bytes: Buffer) => bytes.toString('latin1').replace(/"epochSeconds[^,}]*/, '');
  expect(text(lastCheckpoint(folder)).slice(-12)).toBe(text(lastCheckpoint(calm.folder)).slice(-12)); // the three weights

  const shown = new Promise<MetricsSnapshot>((resolve) => {
    client.listen(metricsUpdate, ({ message }) => message.type === 'snapshot' && resolve(message));
  });
  await client.call(metricsSubscribe, { runs: [folder] });
  const snapshot = await shown;
  expect(snapshot.runs[0]!.series.map(({ title }) => title)).toEqual([
    'Squared error',
    'Distance to the truth',
    'Distance after the epoch',
  ]);
  expect(Object.keys(snapshot.runs[0]!.steps.columns)).toContain('distance');

  if (!browser) return;
  const page = join(mkdtempSync(join(tmpdir(), 'unimiss-toy-')), 'page.html');
  const asset = (name: string) => readFileSync(join('dist', 'webviews', name), 'utf8');
  writeFileSync(page, reportPage('Toy', asset('metrics.js'), asset('metrics.css'), snapshot));
  const watched = await watchedPage(browser);
  await watched.page.goto(`file://${page}`);
  await watched.page.locator('[data-series="steps:distance"] canvas').waitFor();
  expect(await watched.page.locator('[data-series="steps:distance"]').textContent()).toContain('Distance to the truth');
  expect(await watched.problems()).toEqual([]);
  rmSync(join(page, '..'), { recursive: true });
}, 120_000);
