import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportPage } from '../../extension/report/reportPage.ts';
import type { RunRecord } from '../../protocol/records/records.ts';
import { drawn, hasChromium, openBrowser, watchedPage } from '../../test/metrics/browser.ts';
import { writeSegmentationReport } from '../../test/metrics/evaluationPage.ts';
import { snapshotOf } from '../../test/metrics/pages.ts';
import { bodyClass, openPanel } from '../../test/metrics/panel.ts';
import { madeUpPreviews, madeUpRecords } from '../../test/metrics/records.ts';
import { themeStyle, themes } from '../../test/viewer/themes.ts';

const time = '2026-11-23T10:00:00.000Z';
const broken = ['ct/1.nii', 'xray/2.png'].map(
  (file): RunRecord => ({ kind: 'event', event: 'broken', message: `${file}: is cut off`, file, step: 0, time }),
);
const failed = {
  ...{ id: 'a', name: 'chest', state: 'failed' as const, previews: madeUpPreviews([0], 50) },
  records: [
    ...madeUpRecords({ steps: 200, stepsPerEpoch: 50, collapseFrom: 2 }),
    ...broken,
    { kind: 'event', event: 'error', message: 'the loss is NaN', step: 200, time } as const,
  ],
  progress: { step: 200, epoch: 3, totalEpochs: 12 },
  settings: { 'train.lr': '0.05' },
};
const other = { ...failed, id: 'b', name: 'other', state: 'finished' as const, settings: { 'train.lr': '0.1' } };

describe.skipIf(!hasChromium)("panel and report with the colours of the editor's themes", () => {
  let browser: Browser;
  let folder: string;
  let axe: string;
  beforeAll(async () => {
    browser = await openBrowser();
    folder = await mkdtemp(join(tmpdir(), 'unimiss-themes-'));
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await writeSegmentationReport(join(folder, 'evaluation.html'));
  });
  afterAll(async () => {
    await browser?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  /** What axe finds: rules with places. axe is a foreign script, so that pages are opened without their policy. */
  async function findings(page: Page): Promise<[string, string[]][]> {
    await drawn(page);
    await page.evaluate(axe);
    const found = await page.evaluate<[string, string[]][]>(
      'axe.run().then(({ violations }) => violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(" "))]))',
    );
    await page.context().close();
    return found;
  }

  test.each(themes)('axe finds nothing in the panel of a run that failed, %s', async (theme) => {
    const { page, send } = await openPanel(browser, { theme, bypassCSP: true });
    await send(snapshotOf({ title: 'chest', runs: [failed] }));
    await page.locator('canvas').first().waitFor();
    await page.locator('.warnings-line').click();
    await page.getByText('Show the 2 images').click();
    expect(await page.getByRole('button', { name: 'Show File' }).count()).toBe(2);
    expect(await findings(page)).toEqual([]);
  });

  test.each(themes)('axe finds nothing in a comparison, %s', async (theme) => {
    const { page, send } = await openPanel(browser, { theme, runs: ['a', 'b'], bypassCSP: true });
    await send(snapshotOf({ title: '2 runs', runs: [failed, other] }));
    await page.locator('canvas').first().waitFor();
    expect(await findings(page)).toEqual([]);
  });

  test.each(themes)('axe finds nothing in the report of an evaluation, %s', async (theme) => {
    const file = join(folder, 'evaluation.html');
    const { page } = await watchedPage(browser, { bypassCSP: true });
    await page.addInitScript({ content: 'globalThis.acquireVsCodeApi = () => ({ setState() {} });' });
    const html = reportPage(await readFile(file, 'utf8'), file, 'dist/webviews')
      .replace('</head>', `<style>${themeStyle(theme)}</style></head>`)
      .replace('<body', `<body class="${bodyClass(theme)}"`);
    await page.setContent(html);
    await page.locator('h1').waitFor();
    expect(await findings(page)).toEqual([]);
  });
});
