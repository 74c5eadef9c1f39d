import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, openBrowser, watchedPage } from '../../test/metrics/browser.ts';
import { writeClassificationReport, writeSegmentationReport } from '../../test/metrics/evaluationPage.ts';
import { compare } from './sort.ts';

test('cells without a value come last in either order; numbers in names are numbers', () => {
  expect([3, null, 1].sort((a, b) => compare(a, b, true))).toEqual([1, 3, null]);
  expect([3, null, 1].sort((a, b) => compare(a, b, false))).toEqual([3, 1, null]);
  expect(['case 10', 'case 9'].sort((a, b) => compare(a, b, true))).toEqual(['case 9', 'case 10']);
});

describe.skipIf(!hasChromium)('report in the browser', () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'unimiss-report-page-'));
    await writeSegmentationReport(join(folder, 'segmentation.html'));
    await writeClassificationReport(join(folder, 'classification.html'));
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });
  const open = async (name: string, width: number) => {
    const watched = await watchedPage(browser, { viewport: { width, height: 900 }, colorScheme: 'light' });
    await watched.page.goto(`file://${join(folder, `${name}.html`)}`);
    return watched;
  };
  const tooWide = (page: Page) => page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');

  test.each(['segmentation', 'classification'])('%s: fits 400 and 1400 pixels, without problems', async (name) => {
    for (const width of [400, 1400]) {
      const { page, problems } = await open(name, width);
      expect(await tooWide(page)).toBe(false);
      expect(await problems()).toEqual([]);
      await page.context().close();
    }
  });

  test('column heads sort, by mouse and by keyboard', async () => {
    const { page } = await open('segmentation', 1400);
    const table = page.getByRole('table', { name: /Each case/ });
    const head = table.getByRole('button', { name: 'Mean Dice' });
    const values = async () => (await table.locator('tbody tr td:nth-child(3)').allTextContents()).map(Number);
    await head.click();
    const rising = await values();
    expect(rising).toEqual(rising.toSorted((a, b) => a - b));
    expect(rising).toHaveLength(12);
    // The means of all classes stay below.
    const classes = page.getByRole('table', { name: /Means over cases/ });
    await classes.getByRole('button', { name: 'Class', exact: true }).click();
    expect(await classes.locator('tr').last().locator('th').textContent()).toBe('All classes');
    await head.press('Enter');
    expect(await values()).toEqual(rising.toReversed());
    expect(await table.getByRole('columnheader', { name: 'Mean Dice' }).getAttribute('aria-sort')).toBe('descending');
    await page.context().close();
  });

  test('in the editor, the names of cases that the viewer can show open them', async () => {
    const { page } = await open('segmentation', 1400);
    expect(await page.getByRole('button', { name: 'case-02' }).count()).toBe(0);
    await page.addInitScript({
      content: `globalThis.opened = []; globalThis.unimissCases = { ids: ['case-02'], open: (id) => opened.push(id) };`,
    });
    await page.reload();
    const table = page.getByRole('table', { name: /Each case/ });
    await table.getByRole('button', { name: 'case-02' }).press('Enter');
    expect(await page.evaluate<string[]>('opened')).toEqual(['case-02']);
    expect(await page.getByRole('button', { name: 'case-03' }).count()).toBe(0);
    await page.context().close();
  });

  test('planes show grey, outline, prediction and errors', async () => {
    const { page } = await open('segmentation', 1400);
    const colors = await page.evaluate<Record<string, number>>(`(() => {
      const canvas = document.querySelector('canvas[data-plane="0"]');
      const { data } = canvas.getContext('2d', { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height);
      const found = { grey: 0, white: 0, teal: 0, warm: 0 };
      for (let i = 0; i < data.length; i += 4) {
        const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
        if (r > 250 && g > 250 && b > 250) found.white++;
        else if (r === g && g === b) found.grey++;
        else if (g > r + 20 && b > r + 20) found.teal++;
        else if (r > 150 && r > b) found.warm++;
      }
      return found;
    })()`);
    for (const [name, count] of Object.entries(colors)) expect(count, name).toBeGreaterThan(100);
    await page.context().close();
  });

  test('a screen reader finds headings, regions, tables and pictures by name', async () => {
    const { page } = await open('classification', 1400);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toMatch(/Evaluation of chest/);
    expect(await page.getByRole('img', { name: 'ROC', exact: true }).count()).toBe(1);
    expect(await page.getByRole('img', { name: 'Calibration', exact: true }).count()).toBe(1);
    expect(await page.getByRole('table', { name: /Rows: reference/ }).count()).toBe(1);
    expect(
      await page.evaluate<number>(`[...document.querySelectorAll('table')].filter((t) => !t.caption).length`),
    ).toBe(0);
    await page.context().close();
  });

  test('it can be printed: nothing is cut at the side of a page', async () => {
    const { page } = await open('segmentation', 1400);
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize({ width: 1031, height: 700 }); // A4 lying, without margins, at 96 dpi
    expect(await tooWide(page)).toBe(false);
    // Of heads that are repeated on each page, browsers print text alone.
    const shown = await page.evaluate<string[]>(
      `[...document.querySelectorAll('th button')].map((button) => getComputedStyle(button).display)`,
    );
    expect(new Set(shown)).toEqual(new Set(['contents']));
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.context().close();
  });
});
