import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { niftiFixture } from '../../daemon/data/formats/nifti.fixture.ts';
import { drawn, hasChromium, openBrowser } from '../../test/metrics/browser.ts';
import { hostile, sform, size, voxels, writeCase } from '../../test/viewer/madeUpImages.ts';
import { withTexts } from '../../test/viewer/pngTexts.ts';
import { themes } from '../../test/viewer/themes.ts';
import { PageOfViewer, type ViewerPageOptions } from '../../test/viewer/viewerPage.ts';
import { freePlace } from './freePlace.ts';

it('a text that would cover another one moves to the nearest free place inside the canvas', () => {
  const canvas = { width: 200, height: 100 };
  const box = { x: 10, y: 50, width: 80, height: 18 };
  expect(freePlace(box, [], canvas)).toEqual(box);
  expect(freePlace(box, [{ ...box, y: 45 }], canvas)).toEqual({ ...box, y: 63 });
  expect(freePlace(box, [{ ...box, y: 55 }], canvas)).toEqual({ ...box, y: 37 });
  expect(freePlace({ ...box, x: 150, y: 95 }, [], canvas)).toEqual({ ...box, x: 120, y: 82 });
  expect(freePlace(box, [{ ...box, x: 95 }], canvas)).toEqual(box);
});

describe.skipIf(!hasChromium)('the page of the viewer (skipped where chromium is missing)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'um-viewer-'));
  const { image, reference, prediction } = writeCase(folder);
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** The page with an image and both its label maps. */
  async function open(path = image, given: ViewerPageOptions = {}): Promise<PageOfViewer> {
    const opened = await PageOfViewer.open(browser, path, given);
    if (path === image) await opened.page.getByRole('table').nth(1).waitFor();
    await drawn(opened.page);
    return opened;
  }

  describe.each(themes)('in the theme %s', (theme) => {
    it('axe finds nothing in planes, overlays, comparison, measurements and dialogs', async () => {
      // axe is a foreign script, which the page's policy refuses.
      const opened = await open(image, { theme, context: { bypassCSP: true } });
      const { page } = opened;
      const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      await page.evaluate(axe);
      const findings = () =>
        page.evaluate(
          'axe.run().then(({ violations }) => violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(" "))]))',
        );
      expect(await findings()).toEqual([]);
      await page.getByRole('combobox', { name: 'Compare' }).selectOption({ index: 1 });
      await page.getByRole('slider', { name: 'Axial plane' }).focus();
      for (const key of ['d', 'Enter', 'Shift+ArrowRight', 'Enter', 'd', 'r']) await page.keyboard.press(key);
      expect(await findings()).toEqual([]);
      await opened.picture(theme);
      for (const key of ['?', 'h']) {
        await page.keyboard.press(key);
        await page.getByRole('dialog').waitFor();
        expect(await findings()).toEqual([]);
        await page.keyboard.press('Escape');
      }
      await page.getByRole('button', { name: 'What the Network Sees…' }).click();
      const view = { width: 6, height: 2, slices: 2, channels: 1, data: new Uint8Array(12) } as const;
      opened.post({ type: 'seen', seen: { run: 'chest', epoch: 4, phase: '3D', views: [view, view] } });
      await page.getByRole('img', { name: 'View 2: 2 slices of 3 × 2 voxels' }).waitFor();
      expect(await findings()).toEqual([]);
      await opened.close();
    });
  });

  it('nothing moves by itself', async () => {
    const { page } = await open();
    const moving = `document.getAnimations().length + [...document.querySelectorAll('*')].filter((one) => {
      const { transitionDuration, scrollBehavior } = getComputedStyle(one);
      return transitionDuration !== '0s' || scrollBehavior === 'smooth';
    }).length`;
    expect(await page.evaluate(moving)).toBe(0);
    await page.context().close();
  });

  it('names are text, whatever is in them, and no problem is reported', async () => {
    const { page, problems } = await open();
    await page.getByRole('row', { name: hostile }).first().waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('case_0000.nii.gz');
    expect(await problems()).toEqual([]);
    await page.context().close();
  });

  it('only overlays that were added are kept for the next time; they can be removed', async () => {
    const other = join(folder, `extra-${hostile.replaceAll('/', '')}.nii.gz`);
    writeFileSync(other, readFileSync(reference));
    const { page, requests } = await open(image, { overlays: [other] });
    const kept = () => requests.flatMap((one) => (one.type === 'settings' ? [one.settings] : [])).at(-1);
    await page.getByRole('button', { name: /^Remove .*extra/ }).waitFor();
    expect(await page.getByRole('button', { name: /^Remove/ }).count()).toBe(1);
    await page.getByRole('checkbox', { name: 'Crosshair' }).uncheck();
    await expect.poll(() => kept()?.added).toEqual([other]);
    expect(Object.keys(kept()?.looks ?? {})).toEqual([reference, prediction, other]);
    await page.getByRole('button', { name: /^Remove/ }).click();
    await expect.poll(() => requests.some((one) => one.type === 'removeLayer' && one.layer === 3)).toBe(true);
    await page.context().close();
  });

  it('3D is asked for after the labels that are off have been told', async () => {
    const { page, requests } = await open();
    const label = page.getByRole('table').first().getByRole('checkbox').nth(1);
    // In one turn: nobody waits until the view is kept.
    await label.evaluate((box) => {
      (box as HTMLInputElement).click();
      const buttons = [...document.querySelectorAll('button')];
      buttons.find(({ textContent }) => textContent === '3D')?.click();
    });
    await expect.poll(() => requests.some(({ type }) => type === 'volume3D')).toBe(true);
    const before = requests.slice(
      0,
      requests.findIndex(({ type }) => type === 'volume3D'),
    );
    const kept = before.flatMap((one) => (one.type === 'settings' ? [one.settings] : [])).at(-1);
    expect(kept?.looks[reference]?.hidden).toHaveLength(1);
    await page.context().close();
  });

  it('a case of an evaluation is shown at its errors, and a key asks for the next one', async () => {
    const opened = await open();
    const { page, requests } = opened;
    const of = { reference: 1, prediction: 2 };
    const compared = { ...of, ...(await opened.largestError(of)) };
    // Slices run up in the file, and down on the screen.
    expect(compared.place?.[0]).toBe(17);
    const common = { name: hostile, title: 'validation-20', dice: 0.61, rank: 2, count: 3 };
    opened.post({ type: 'case', case: { ...common, compared } });
    const bar = page.getByRole('region', { name: 'Case of the evaluation' });
    await bar.getByText(`${hostile}: mean Dice 0.610, number 2 from the worst of 3`).waitFor();
    await page.getByText('in the reference, but not predicted').waitFor();
    expect(await page.getByRole('slider', { name: 'Axial plane' }).getAttribute('aria-valuenow')).toBe('18');
    await opened.picture('case');
    await page.keyboard.press('n');
    await bar.getByRole('button', { name: 'Worse Case' }).click();
    const steps = () => requests.flatMap((one) => (one.type === 'nextCase' ? [one.by] : []));
    await expect.poll(steps).toEqual([1, -1]);
    await opened.close();
  });

  it('of a file with several volumes, another one can be chosen; overlays and place stay', async () => {
    const file = join(folder, 'imagesTr', 'moving_0000.nii.gz');
    const values = [0, 1, 2].flatMap((t) => voxels((i, j, k) => 1000 * t + i + j + k));
    writeFileSync(file, gzipSync(niftiFixture({ size: [...size, 3], type: 4, values })));
    const opened = await open(file);
    const { page } = opened;
    const status = page.getByRole('status', { name: 'Crosshair' });
    await status.getByText(/^value \d+/).waitFor();
    const value = Number(/^value (\d+)/.exec(await status.innerText())?.[1]);
    await page.getByRole('spinbutton', { name: 'Volume' }).fill('3');
    await page.keyboard.press('Tab');
    await status.getByText(`value ${value + 2000}`).waitFor();
    expect(await page.getByText('of 3').isVisible()).toBe(true);
    await opened.close();
  });

  it('the volume that was chosen is kept for the next time', async () => {
    const file = join(folder, 'imagesTr', 'moving_0000.nii.gz');
    const opened = await open(file);
    const { page, requests } = opened;
    await page.getByRole('spinbutton', { name: 'Volume' }).fill('2');
    await page.keyboard.press('Tab');
    const kept = () => requests.flatMap((one) => (one.type === 'settings' ? [one.settings.volume] : [])).at(-1);
    await expect.poll(kept).toBe(1);
    await opened.close();
  });

  it('files that are dropped onto the image are asked for, and nothing else is', async () => {
    const opened = await open();
    const { page, requests } = opened;
    const drop = (type: string, text: string) =>
      page.evaluate(
        ([kind, data]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.setData(kind ?? '', data ?? '');
          for (const name of ['dragenter', 'dragover', 'drop'])
            document.body.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
          return document.body.classList.contains('dropping');
        },
        [type, text],
      );
    expect(await drop('text/plain', 'words')).toBe(false);
    await drop('text/uri-list', '# labels\r\nfile:///a/labels.nii.gz\r\nfile:///b.nrrd\r\n');
    await drop('application/vnd.code.uri-list', 'vscode-remote://ssh/c.nii');
    const asked = () => requests.flatMap((one) => (one.type === 'dropped' ? [one.uris] : []));
    await expect.poll(asked).toEqual([['file:///a/labels.nii.gz', 'file:///b.nrrd'], ['vscode-remote://ssh/c.nii']]);
    await opened.close();
  });

  it('labels lie over a picture too, with their areas', async () => {
    const picture = join(folder, 'pictures', 'x.png');
    mkdirSync(join(folder, 'pictures'), { recursive: true });
    const shades = Uint8Array.from({ length: 64 * 48 }, (_, i) => i % 200);
    const mask = Uint8Array.from({ length: 64 * 48 }, (_, i) => (i % 64 < 10 ? 3 : 0));
    const png = (data: Uint8Array) => encode({ width: 64, height: 48, data, channels: 1, depth: 8 });
    writeFileSync(picture, withTexts(png(shades), { [hostile]: hostile }));
    writeFileSync(join(folder, 'pictures', 'x_mask.png'), png(mask));
    const opened = await open(picture);
    const { page } = opened;
    await page.getByRole('row', { name: 'label 3 480 pixels' }).waitFor();
    const status = page.getByRole('status', { name: 'Crosshair' });
    // It has no planes, and needs no words about them.
    const pane = page.getByRole('slider', { name: 'Picture', exact: true });
    expect(await pane.innerText()).toBe('');
    for (const name of ['Planes', 'View']) expect(await page.getByRole('combobox', { name }).isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Show the largest slice of label 3' }).click();
    await status.getByText('3 label 3').waitFor();
    expect(await status.innerText()).toMatch(/^value \d+\s/); // grey: one value, not three
    await pane.focus();
    // The text in the file is in its header view, as text.
    await page.keyboard.press('h');
    const dialog = page.getByRole('dialog');
    await dialog.getByText(hostile).waitFor();
    await dialog.getByRole('button', { name: 'Show Hidden Values' }).click();
    await expect.poll(() => dialog.getByText(hostile).count()).toBe(2);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('x.png');
    await page.keyboard.press('Escape');
    await opened.picture('labels-on-picture');
    await opened.close();
  });

  it('shows what a network sees of this image, and asks for another draw', async () => {
    const opened = await open();
    const { page, requests } = opened;
    await page.getByRole('button', { name: 'What the Network Sees…' }).click();
    await expect.poll(() => requests.some((one) => one.type === 'seen' && one.epoch === undefined)).toBe(true);
    // Two slices of 3 × 2, side by side: rows of both alternate.
    const data = Uint8Array.from([0, 0, 0, 9, 9, 9, 0, 0, 0, 9, 9, 9]);
    const view = { width: 6, height: 2, slices: 2, channels: 1, data } as const;
    opened.post({ type: 'seen', seen: { run: hostile, epoch: 4, phase: '3D', views: [view, view] } });
    const dialog = page.getByRole('dialog', { name: 'What the Network Sees' });
    await dialog.getByText(`Both views of a training step of ${hostile}, in epoch 5`).waitFor();
    await dialog.getByRole('img', { name: 'View 2: 2 slices of 3 × 2 voxels' }).waitFor();
    const pixels = await page.evaluate<number[]>(
      `[...document.querySelector('.views canvas').getContext('2d').getImageData(0, 0, 6, 1).data].filter((_, i) => i % 4 === 0)`,
    );
    expect(pixels).toEqual([0, 0, 0, 9, 9, 9]);
    await dialog.getByRole('button', { name: 'Draw Again' }).click();
    await expect.poll(() => requests.some((one) => one.type === 'seen' && one.epoch === 5)).toBe(true);
    await dialog.getByRole('button', { name: 'Find Similar Images' }).click();
    const similar = [
      { image: `/data/${hostile.replaceAll('/', '')}`, similarity: 0.91 },
      { image: '/data/ct/other.nii.gz', similarity: 0.5 },
    ];
    opened.post({ type: 'similar', similar: { run: 'chest', images: 12, neighbours: similar } });
    await dialog.getByText('Of 12 images of chest').waitFor();
    await dialog.getByText('ct/other.nii.gz: 0.500').waitFor();
    await opened.picture('seen');
    await dialog.getByRole('button', { name: 'Open other.nii.gz' }).click();
    await dialog.getByRole('button', { name: 'Show Attention' }).click();
    const asked = () => requests.map((one) => (one.type === 'openSimilar' ? `open ${one.index}` : one.type));
    await expect.poll(asked).toEqual(expect.arrayContaining(['similar', 'open 1', 'attention']));
    expect(await page.locator('img').count()).toBe(0);
    await opened.close();
  });

  it('labels that grow are drawn anew, with what is told of them', async () => {
    const growing = join(folder, 'growing.nii.gz');
    const labels = (done: number) =>
      gzipSync(
        niftiFixture({ size, type: 2, sform, pixdim: [2, 2, 4], values: voxels((_, __, k) => (k < done ? 3 : 0)) }),
      );
    writeFileSync(growing, labels(1));
    const opened = await open(image, { overlays: [growing] });
    const { page } = opened;
    const status = page.getByRole('status', { name: 'Crosshair' });
    await page.getByRole('row', { name: /label 3 57\.3 ml/ }).waitFor();
    expect(await status.innerText()).not.toContain('label 3');
    writeFileSync(growing, labels(24));
    await opened.reload(3);
    await page.getByRole('row', { name: /label 3 1376 ml/ }).waitFor();
    await status.getByText('3 label 3').waitFor();
    await opened.close();
  });

  it('asks for a prediction of this image', async () => {
    const opened = await open();
    await opened.page.getByRole('button', { name: 'Predict…' }).click();
    await expect.poll(() => opened.requests.some(({ type }) => type === 'predict')).toBe(true);
    await opened.close();
  });

  it('a plane that is zoomed moves by keys, and zooms around the crosshair', async () => {
    const { page } = await open();
    const axial = page.getByRole('slider', { name: 'Axial plane' });
    await axial.focus();
    const picture = () => page.evaluate<string>(`document.querySelector('.pane.axial canvas').toDataURL()`);
    const seen = new Set<string>();
    for (const key of ['+', '+', 'Control+ArrowRight', 'Control+ArrowDown', 'Control+ArrowLeft', '-']) {
      await page.keyboard.press(key);
      await drawn(page);
      seen.add(await picture());
    }
    expect(seen.size).toBe(6);
    await page.context().close();
  });
});
