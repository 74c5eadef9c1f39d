import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configuration, PhantomRun } from './phantomRun.ts';
import { skipped, titled } from './support.ts';

describe.skipIf(skipped !== '')(titled('a clean editor on a machine without TensorFlow and Node'), () => {
  let run: PhantomRun;
  beforeAll(async () => {
    run = await PhantomRun.open((folder) => ({ XDG_CACHE_HOME: `${folder}/cache`, UNIMISS_TENSORFLOW: '' }));
  }, 300_000);
  afterAll(() => run?.close());

  it('goes from "Install TensorFlow" to curves that move', async () => {
    const { window } = run;
    const began = Date.now();
    await window.runCommand('UniMiSS: Install TensorFlow…');
    await window.pick('CPU');
    await window.notification(/UniMiSS: installing TensorFlow/);
    await window.screenshot('installing');
    const ready = window.page.locator('.notification-list-item', { hasText: /TensorFlow [\d.]+ is ready/ });
    await ready.waitFor({ timeout: 900_000 });
    const installed = Date.now();

    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('phantoms.unimiss.jsonc');
    await window.pick('Start');
    await run.toldWhen(/./);
    const panel = await run.panel();
    await run.stepsPass(panel, 5);
    const picture = () =>
      panel
        .locator('[data-series="steps:loss:2D"] canvas')
        .first()
        .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const before = await picture();
    await expect.poll(picture, { timeout: 60_000 }).not.toBe(before);
    const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
    console.log(`installed in ${seconds(began, installed)} s, curves after ${seconds(installed, Date.now())} s more`);
  });
});

/** Pictures alone: XLA compiles one step, not two. */
const onPlugin = configuration
  .replace('"executor": "graph"', '"device": "pjrt:cpu"')
  .replace('"manifest": "phantoms/manifest.csv"', '"paths": ["phantoms/images"]');

describe.skipIf(skipped !== '')(titled('a clean editor on a machine without a plugin of PJRT'), () => {
  let run: PhantomRun;
  beforeAll(async () => {
    run = await PhantomRun.open((folder) => ({ XDG_CACHE_HOME: `${folder}/cache`, UNIMISS_PJRT: '' }), onPlugin);
  }, 300_000);
  afterAll(() => run?.close());

  it('offers to install it when a run needs it, installs it, and trains', async () => {
    const { window } = run;
    expect(onPlugin).toMatch(/phantoms\/images.*"pjrt:cpu"/s);
    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('phantoms.unimiss.jsonc');
    await window.pick('Start');
    const asked = await window.answerDialog('Install');
    expect(asked).toMatch(/needs the PJRT plugin [\d.]+ for .*pjrt:cpu.*Install it now\?/s);
    const began = Date.now();
    await expect.poll(() => run.told().catch(() => ''), { timeout: 600_000 }).toMatch(/./);
    const installed = Date.now();
    const panel = await run.panel();
    await expect.poll(() => run.stepsShown(panel), { timeout: 300_000 }).toBeGreaterThan(3);
    const versions = JSON.parse(readFileSync(join(run.folder, 'versions.json'), 'utf8'));
    expect(versions.tensorflow).toMatch(/^PJRT 0\.\d+ cpu/);
    await window.screenshot('pjrt-installed');
    const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
    console.log(`installed in ${seconds(began, installed)} s, steps after ${seconds(installed, Date.now())} s more`);
  }, 1_200_000);
});
