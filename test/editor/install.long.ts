import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PhantomRun } from './phantomRun.ts';
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
    await window.notification(/UniMiSS engine/);
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
