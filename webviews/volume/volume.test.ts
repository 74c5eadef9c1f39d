import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { volumeFrame } from '../../extension/viewer/volumeFrame.ts';
import { readPageAssets, webviewPage } from '../../extension/webviewPage.ts';
import { OpenImage } from '../../images/openImage.ts';
import type { VolumeMessage } from '../../protocol/viewer/volume.ts';
import { hasChromium, openBrowser, watchedPage } from '../../test/metrics/browser.ts';
import { hostile, writeCase } from '../../test/viewer/madeUpImages.ts';

describe.skipIf(!hasChromium)('the 3D view (skipped where chromium is missing)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'um-volume-'));
  const { image, reference } = writeCase(folder);
  let browser: Browser;
  let volume: VolumeMessage;
  beforeAll(async () => {
    browser = await openBrowser();
    const open = await OpenImage.open(image, 0, () => {});
    const layer = await open.addLayer(reference, false);
    const list =
      layer.content.kind === 'labels' ? layer.content.labels.map((label) => ({ ...label, shown: true })) : [];
    volume = {
      ...{ type: 'volume', name: hostile, image: new Uint8Array(await open.coarseNifti(0)) },
      ...{ low: -1000, high: 200, ct: true },
      labels: { file: new Uint8Array(await open.coarseNifti(1)), list },
    };
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** The page as the extension frames it. @param first script that runs before it */
  async function open(first = '') {
    const { page, problems } = await watchedPage(browser, { viewport: { width: 640, height: 480 } });
    await page.exposeBinding('nextVolume', () => volume);
    await page.addInitScript({
      content: `${first}; globalThis.acquireVsCodeApi = () => ({ postMessage: async () =>
        dispatchEvent(Object.assign(new Event('message'), { data: await nextVolume() })) });`,
    });
    const html = webviewPage(readPageAssets('dist/webviews', 'volume'), volumeFrame);
    await page.route('http://volume.test/', (route) => route.fulfill({ contentType: 'text/html', body: html }));
    await page.goto('http://volume.test/');
    return { page, problems };
  }

  it('draws a volume and its labels, turns by keys, and breaks no policy', async () => {
    const { page, problems } = await open();
    await page.locator('body.shown').waitFor();
    const picture = () => page.locator('canvas').screenshot();
    const before = await picture();
    await page.screenshot({ path: 'test-artifacts/viewer-3d.png' });
    await page.locator('canvas').focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(async () => (await picture()).equals(before)).toBe(false);
    await page.getByLabel('Labels').fill('0');
    await page.getByLabel('Labels').press('ArrowLeft');
    expect(await page.title()).toBe(`${hostile} in 3D`);
    expect(await page.locator('img').count()).toBe(0);
    // The driver complains of the pictures that this test takes.
    expect((await problems()).filter((text) => !text.includes('GPU stall due to ReadPixels'))).toEqual([]);
    await page.context().close();
  });

  it('follows the labels that are switched off and on', async () => {
    const { page, problems } = await open();
    await page.locator('body.shown').waitFor();
    const picture = () => page.locator('canvas').screenshot();
    const list = volume.labels?.list ?? [];
    const label = (shown: boolean) =>
      page.evaluate((data) => dispatchEvent(Object.assign(new Event('message'), { data })), {
        ...{ type: 'labels', list: list.map((one) => ({ ...one, shown })) },
      });
    const before = await picture();
    await label(false);
    await expect.poll(async () => (await picture()).equals(before)).toBe(false);
    await label(true);
    await expect.poll(async () => (await picture()).equals(before)).toBe(true);
    expect((await problems()).filter((text) => !text.includes('GPU stall due to ReadPixels'))).toEqual([]);
    await page.context().close();
  });

  it('says so where the volume cannot be drawn', async () => {
    const whole = volume;
    volume = { ...whole, image: new Uint8Array(8) };
    const { page } = await open();
    await page.getByRole('alert').getByText('This volume cannot be drawn in 3D').waitFor();
    volume = whole;
    await page.context().close();
  });

  it('says so where the window has no WebGL 2', async () => {
    const { page, problems } = await open(`
      const get = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind === 'webgl2' ? null : get.call(this, kind, ...rest); }`);
    await page.getByRole('alert').getByText('This window has no WebGL 2').waitFor();
    expect(await problems()).toEqual([]);
    await page.context().close();
  });
});
