import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lackOfPjrt, pjrtPlugin } from '../engine.ts';
import { configuration, PhantomRun } from './phantomRun.ts';
import { explainFailures, skipped, titled } from './support.ts';

/** Pictures alone: XLA compiles one step, not two. */
const text = configuration
  .replace('"executor": "graph"', '"device": "pjrt:cpu"')
  .replace('"manifest": "phantoms/manifest.csv"', '"paths": ["phantoms/images"]');

describe.skipIf(skipped !== '' || lackOfPjrt !== '')(titled('a run on pjrt:cpu in the editor'), () => {
  let run: PhantomRun;
  beforeAll(async () => {
    run = await PhantomRun.open(() => ({ UNIMISS_PJRT: pjrtPlugin ?? '' }), text);
  }, 300_000);
  afterAll(() => run?.close());
  explainFailures(() => run?.editor);

  it('starts from the palette and draws curves that move; killed, it is resumed from the notification', async () => {
    const { window } = run;
    expect(text).toMatch(/phantoms\/images.*"pjrt:cpu"/s);
    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('phantoms.unimiss.jsonc');
    await window.pick('Start');
    await run.toldWhen(/./);
    const panel = await run.panel();
    await expect.poll(() => run.stepsShown(panel), { timeout: 300_000 }).toBeGreaterThan(5);
    const picture = () =>
      panel
        .locator('[data-series="steps:loss:2D"] canvas')
        .first()
        .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const before = await picture();
    await expect.poll(picture, { timeout: 60_000 }).not.toBe(before);
    await window.screenshot('pjrt-training');
    const behindCheckpoint = () => expect.poll(() => run.stepsShown(panel), { timeout: 200_000 }).toBeGreaterThan(60);
    await behindCheckpoint();
    const killed = run.trainer();
    process.kill(killed, 'SIGKILL');
    const notification = await window.notification(/SIGKILL/);
    await notification.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => run.trainer(), { timeout: 60_000 }).not.toBe(killed);
    await expect.poll(() => run.told(), { timeout: 100_000 }).toMatch(/^\d+ %/);
    await behindCheckpoint();
    await window.screenshot('pjrt-resumed');
  }, 900_000);

  it('offers the plugins among what can be installed', async () => {
    const { window } = run;
    await window.runCommand('UniMiSS: Install TensorFlow…');
    const plugin = window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'pjrt:cpu' });
    await plugin.waitFor();
    expect(await plugin.innerText()).toMatch(/[\d.]+ MiB to download, 193 MiB on disk/);
    await window.screenshot('pjrt-install');
    await window.page.keyboard.press('Escape');
  });
});
