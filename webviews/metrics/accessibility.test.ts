import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawn, hasChromium, openBrowser, watchedPage } from '../../test/metrics/browser.ts';
import { writeReport } from '../../test/metrics/pages.ts';
import { madeUpPreviews, madeUpRecords } from '../../test/metrics/records.ts';

/** A finding of axe: the rule, and where. */
type Finding = [rule: string, places: string[]];

describe.skipIf(!hasChromium)('accessibility of the metrics page (skipped where chromium is missing)', () => {
  let browser: Browser;
  let folder: string;
  let axe: string;

  beforeAll(async () => {
    browser = await openBrowser();
    folder = await mkdtemp(join(tmpdir(), 'unimiss-axe-'));
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const run = {
      ...{ id: 'a', name: 'calm', state: 'running' as const, previews: madeUpPreviews([0, 199], 50) },
      records: madeUpRecords({ steps: 200, stepsPerEpoch: 50, collapseFrom: 2 }),
      progress: { step: 200, totalSteps: 600, epoch: 3, totalEpochs: 12 },
      settings: { 'train.lr': '0.05' },
    };
    const other = { ...run, id: 'b', name: 'other', state: 'stopped' as const, settings: { 'train.lr': '0.1' } };
    await writeReport(join(folder, 'one.html'), { title: 'One run', runs: [run] });
    await writeReport(join(folder, 'two.html'), { title: 'Two runs', runs: [run, other] });
  });
  afterAll(async () => {
    await browser?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  async function findings(name: string, options: BrowserContextOptions): Promise<Finding[]> {
    // axe is a foreign script, which the page's policy refuses.
    const { page } = await watchedPage(browser, { ...options, bypassCSP: true });
    await page.goto(`file://${join(folder, name)}`);
    await page.locator('[data-series="steps:loss:2D"] canvas').waitFor();
    await page.locator('.warnings summary').click();
    await drawn(page);
    await page.evaluate(axe);
    const found = await page.evaluate<Finding[]>(
      'axe.run().then(({ violations }) => violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(" "))]))',
    );
    await page.context().close();
    return found;
  }

  test('axe finds nothing in an enlarged picture; and finds what is wrong', async () => {
    const { page } = await watchedPage(browser, { bypassCSP: true });
    await page.goto(`file://${join(folder, 'one.html')}`);
    await page.locator('.strips .picture').first().click();
    await page.locator('.lightbox[open]').waitFor();
    await drawn(page);
    await page.evaluate(axe);
    const run = 'axe.run().then(({ violations }) => violations.map(({ id }) => id))';
    expect(await page.evaluate<string[]>(run)).toEqual([]);
    await page.evaluate('document.querySelector(".lightbox").append(new Image())');
    expect(await page.evaluate<string[]>(run)).toEqual(['image-alt']);
    await page.context().close();
  });

  const themes: [string, BrowserContextOptions][] = [
    ['dark', { colorScheme: 'dark' }],
    ['light', { colorScheme: 'light' }],
    ['dark high contrast', { colorScheme: 'dark', contrast: 'more' }],
    ['light high contrast', { colorScheme: 'light', contrast: 'more' }],
    ['forced colours', { colorScheme: 'dark', forcedColors: 'active' }],
  ];
  test.each(themes.flatMap(([theme, options]) => ['one.html', 'two.html'].map((name) => ({ theme, name, options }))))(
    'axe finds nothing in $name, $theme',
    async ({ name, options }) => expect(await findings(name, options)).toEqual([]),
  );
});
