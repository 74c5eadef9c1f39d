import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seriesOf } from '../../protocol/records/series.ts';
import { countColor, drawn, hasChromium, openBrowser, pictureOf, watchedPage } from '../../test/metrics/browser.ts';
import { snapshotOf, writeReport } from '../../test/metrics/pages.ts';
import { madeUpPreviews, madeUpRecords } from '../../test/metrics/records.ts';
import type { MetricsState } from './state.ts';

/** Colours of the first two runs in the dark theme. */
const first = '#5aa9ff';
const second = '#ffd166';
const loss = 'steps:loss:2D';

const stateOf = (page: Page) => page.evaluate(() => history.state as MetricsState | null);
const plotOf = async (page: Page, series: string) =>
  (await page.locator(`[data-series="${series}"] .u-over`).boundingBox())!;

describe.skipIf(!hasChromium)('the metrics page (skipped where /usr/bin/chromium is missing)', () => {
  let browser: Browser;
  let folder: string;
  let file: string;

  beforeAll(async () => {
    browser = await openBrowser();
    folder = await mkdtemp(join(tmpdir(), 'unimiss-metrics-'));
    file = join(folder, 'report.html');
    await writeReport(file, {
      title: 'Two runs',
      summary: [{ label: 'k-NN accuracy', value: '87 %', note: 'chance 25 %' }],
      runs: [
        {
          id: 'a',
          name: 'calm',
          state: 'running',
          records: madeUpRecords({ steps: 400, stepsPerEpoch: 50 }),
          previews: madeUpPreviews([0, 200, 399], 50),
          progress: { step: 400, totalSteps: 600, epoch: 7, totalEpochs: 12 },
          settings: { name: 'calm', 'train.lr': '0.05', 'train.batch.2D': '8' },
        },
        {
          id: 'b',
          name: '<img src=x onerror=alert(1)></script>',
          state: 'stopped',
          records: madeUpRecords({ steps: 600, stepsPerEpoch: 50, seed: 1, rate: 2, collapseFrom: 9 }),
          settings: { name: 'other', 'train.lr': '0.0008', 'train.batch.2D': '8' },
        },
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  /** Opens the page, does something, and checks that no error occurred. */
  async function withPage(
    use: (page: Page) => Promise<void>,
    options: Parameters<typeof watchedPage>[1] = {},
  ): Promise<void> {
    const { page, problems } = await watchedPage(browser, options);
    await page.goto(`file://${file}`);
    await page.locator(`[data-series="${loss}"] canvas`).waitFor();
    await drawn(page);
    await use(page);
    expect(await problems()).toEqual([]);
    await page.context().close();
  }

  test('draws every series of both runs, and shows hostile names as text', () =>
    withPage(async (page) => {
      const series = await page
        .locator('.chart')
        .evaluateAll((all) => all.map((c) => (c as HTMLElement).dataset.series!));
      expect(series).toHaveLength(33);
      for (const key of series) {
        await page.locator(`[data-series="${key}"]`).scrollIntoViewIfNeeded();
        await page.locator(`[data-series="${key}"] canvas`).waitFor();
        await drawn(page);
        expect(await countColor(page, key, first), `${key}, first run`).toBeGreaterThan(20);
        expect(await countColor(page, key, second), `${key}, second run`).toBeGreaterThan(20);
      }
      expect(await page.locator('.runs').innerText()).toMatch(/running\s+8 of 12\s+passed/);
      await expect
        .poll(() => page.getByRole('checkbox', { name: '<img src=x onerror=alert(1)></script>' }).count())
        .toBe(1);
      expect(await page.locator('img[src="x"]').count()).toBe(0);
    }));

  test('zooms all charts by dragging, wheel and keys; moves; resets by double click, key and button', () =>
    withPage(async (page) => {
      const box = await plotOf(page, loss);
      const term = 'steps:term/slices-slices';
      const before = await pictureOf(page, term);
      await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
      await page.mouse.up();
      await drawn(page);
      const view = (await stateOf(page))!.view!;
      expect(view[0]).toBeCloseTo(0.25 * 599, -1);
      expect(view[1]).toBeCloseTo(0.5 * 599, -1);
      expect(await pictureOf(page, term)).not.toBe(before);

      await page.mouse.move(box.x + box.width / 2, box.y + 50);
      await page.keyboard.down('Control');
      await page.mouse.wheel(0, -120);
      await page.keyboard.up('Control');
      await expect.poll(async () => width(await stateOf(page))).toBeLessThan((view[1] - view[0]) * 0.8);
      const narrow = (await stateOf(page))!.view!;
      await page.keyboard.down('Shift');
      await page.mouse.wheel(0, 100);
      await page.keyboard.up('Shift');
      await expect.poll(async () => (await stateOf(page))!.view![0]).toBeGreaterThan(narrow[0]);
      expect(width(await stateOf(page))).toBeCloseTo(narrow[1] - narrow[0], 6);

      await page.mouse.dblclick(box.x + box.width / 2, box.y + 50);
      await expect.poll(async () => (await stateOf(page))!.view).toBeNull();
      await drawn(page);
      await page.mouse.move(5, 5);
      await drawn(page);
      expect(await pictureOf(page, term)).toBe(before);

      await page.locator(`[data-series="${loss}"] .chart-body`).focus();
      await page.keyboard.press('+');
      await expect.poll(async () => width(await stateOf(page))).toBeCloseTo(599 / 2, 6);
      await page.keyboard.press('0');
      await expect.poll(async () => (await stateOf(page))!.view).toBeNull();
      await page.keyboard.press('+');
      await page.getByRole('button', { name: 'Reset zoom' }).click();
      await expect.poll(async () => (await stateOf(page))!.view).toBeNull();
    }));

  test('the plain wheel scrolls the page', () =>
    withPage(async (page) => {
      const box = await plotOf(page, loss);
      await page.mouse.move(box.x + 100, box.y + 50);
      await page.mouse.wheel(0, 300);
      await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(200);
      expect(await stateOf(page)).toBeNull();
    }));

  test('smoothing changes the line and the value, and 0 shows what was recorded', () =>
    withPage(async (page) => {
      const slider = page.getByLabel('Smoothing');
      // In a comparison, a chart shows the value of the run that is pointed at.
      await page.locator('.runs tbody tr').first().hover();
      const value = page.locator(`[data-series="${loss}"] .chart-value`);
      const pictures = new Set<string>();
      const values = new Set<string>();
      for (const weight of ['0', '0.6', '0.95']) {
        await slider.fill(weight);
        await drawn(page);
        pictures.add(await pictureOf(page, loss));
        values.add(await value.innerText());
      }
      expect(pictures.size).toBe(3);
      expect(values.size).toBe(3);
      await slider.fill('0');
      await drawn(page);
      const last = madeUpRecords({ steps: 400, stepsPerEpoch: 50 }).findLast(
        (r) => r.kind === 'step' && r.group === '2D',
      )!;
      expect(Number(await value.innerText())).toBeCloseTo(last.kind === 'step' ? last.loss : 0, 2);
    }));

  test('a run is switched off and on', () =>
    withPage(async (page) => {
      const calm = page.getByRole('checkbox', { name: 'calm' });
      const shown = await countColor(page, loss, first);
      await calm.focus();
      await page.keyboard.press('Space');
      await drawn(page);
      expect(await countColor(page, loss, first)).toBeLessThan(shown / 20);
      expect(await countColor(page, loss, second)).toBeGreaterThan(20);
      expect(await page.locator('.runs tr.off').innerText()).toContain('running');
      await page.keyboard.press('Space');
      await drawn(page);
      await calm.blur();
      await drawn(page);
      expect(await countColor(page, loss, first)).toBe(shown);
    }));

  test('log scale, axes and enlarging redraw; settings survive a reload', () =>
    withPage(async (page) => {
      const pictures = [await pictureOf(page, loss)];
      const noteChange = async () => {
        await drawn(page);
        pictures.push(await pictureOf(page, loss));
        expect(new Set(pictures).size).toBe(pictures.length);
      };
      await page.getByText('Log scale').click();
      await noteChange();
      await page.locator('#um-axis').focus();
      for (const axis of ['time', 'epoch']) {
        for (const key of ['Enter', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
        await expect.poll(async () => (await stateOf(page))!.xAxis).toBe(axis);
        await noteChange();
      }
      await page.getByRole('button', { name: 'Enlarge Loss · 2D' }).click();
      await expect.poll(async () => (await plotOf(page, loss)).width).toBeGreaterThan(1200);
      await page.locator('summary', { hasText: 'Optimiser' }).click();
      await expect.poll(async () => (await stateOf(page))!.closedSections).toEqual(['optimiser']);
      const kept = await stateOf(page);
      await page.reload();
      await page.locator(`[data-series="${loss}"]`).scrollIntoViewIfNeeded();
      await page.locator(`[data-series="${loss}"] canvas`).waitFor();
      expect(await stateOf(page)).toEqual(kept);
      expect(await page.locator('details', { hasText: 'Optimiser' }).getAttribute('open')).toBeNull();
      expect((await plotOf(page, loss)).width).toBeGreaterThan(1200);
    }));

  test('everything can be reached and done by keys, with a visible focus', () =>
    withPage(async (page) => {
      const reached: string[] = [];
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        const focus = await page.evaluate(() => {
          const at = document.activeElement as HTMLElement;
          if (at === document.body) return undefined;
          const inner = at.shadowRoot?.querySelector<HTMLElement>('.icon, .base, .select-face');
          const ring = [at, inner ?? at].some((e) => {
            const { outlineStyle, borderColor } = getComputedStyle(e);
            return outlineStyle !== 'none' || borderColor === 'rgb(59, 156, 255)';
          });
          return {
            what: at.getAttribute('aria-label') ?? at.getAttribute('label') ?? at.id ?? '',
            text: at.textContent ?? '',
            ring,
          };
        });
        if (!focus) break;
        expect(focus.ring, `focus on ${focus.what || focus.text}`).toBe(true);
        reached.push(focus.what || focus.text);
      }
      for (const name of [
        'calm',
        'Horizontal axis',
        'um-smoothing',
        'Log scale',
        'um-preview-step',
        'Loss · 2D',
        'Training views',
        'Optimiser',
      ])
        expect(
          reached.some((r) => r.includes(name)),
          `${name} among ${reached.join(' | ')}`,
        ).toBe(true);

      // One stop per grid; arrows go on within it, Enter enlarges.
      expect(reached.filter((name) => /^(Loss · |Volume → |Slices → |Mean loss)/.test(name))).toEqual(['Loss · 2D']);
      await page.locator(`[data-series="${loss}"] .chart-body`).focus();
      await page.keyboard.press('ArrowDown');
      const focused = () => page.evaluate(() => document.activeElement?.closest<HTMLElement>('.chart')?.dataset.series);
      expect(await focused()).toBe('steps:loss:3D');
      await page.keyboard.press('Enter');
      await expect.poll(async () => (await stateOf(page))?.enlarged).toEqual(['steps:loss:3D']);
      await page.keyboard.press('ArrowUp');
      expect(await focused()).toBe(loss);

      await page.locator(`[data-series="${loss}"] .chart-body`).focus();
      for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
      const tooltip = page.locator(`[data-series="${loss}"] .tooltip`);
      await expect.poll(() => tooltip.innerText()).toContain('step 60 · 2D');
      expect(await tooltip.innerText()).toMatch(/calm[\s\S]*recorded/);
      expect(await page.getByRole('status').first().innerText()).toMatch(/^step 60 · 2D: calm: [\d.]+, /);
    }));

  test('near a border of phases, place, phase and value of the tooltip are those of one row', () =>
    withPage(async (page) => {
      await page.getByLabel('Smoothing').fill('0');
      await page.locator(`[data-series="${loss}"] .chart-body`).focus();
      for (let i = 0; i < 17; i++) await page.keyboard.press('ArrowRight');
      const tooltip = page.locator(`[data-series="${loss}"] .tooltip`);
      // The cursor is at 101.8, in a phase of 3D; the nearest 2D step is 99.
      await expect.poll(() => tooltip.innerText()).toContain('step 99 · 2D');
      const recorded = madeUpRecords({ steps: 400, stepsPerEpoch: 50 }).find(
        (r) => r.kind === 'step' && r.step === 99,
      )!;
      expect(await tooltip.innerText()).toContain(String(Number((recorded as { loss: number }).loss.toPrecision(4))));
    }));

  test('loss, collapse and data loading are in sight at once, in small windows too', async () => {
    for (const viewport of [
      { width: 1200, height: 800 },
      { width: 800, height: 600 },
    ])
      await withPage(
        async (page) => {
          for (const series of ['steps:loss', 'epochs:effectiveRank', 'steps:waitMs']) {
            const chart = (await page.locator(`[data-series="${series}:overview"]`).boundingBox())!;
            expect(chart.y + chart.height, `${series} at ${viewport.width} px`).toBeLessThanOrEqual(viewport.height);
          }
        },
        { viewport },
      );
  });

  test('all classes are in one chart with a legend; the chart of one has its interval', async () => {
    const classes = Array.from({ length: 14 }, (_, k) => `organ ${k + 1}`);
    const time = (step: number) => new Date(Date.UTC(2026, 0, 1) + step * 1000).toISOString();
    const diceAt = (epoch: number, k: number) => 0.1 + 0.05 * k + 0.01 * epoch;
    const classesFile = join(folder, 'classes.html');
    await writeReport(classesFile, {
      title: 'A segmentation',
      runs: [
        {
          ...{ id: 'organs', name: 'organs', state: 'finished', series: seriesOf.finetune },
          records: Array.from({ length: 10 }, (_, n) => [
            {
              ...{ kind: 'step' as const, step: n, epoch: n, group: null, loss: 1 / (n + 1), values: {} },
              ...{ stepMs: 5, waitMs: 0, rssMiB: 100, time: time(n) },
            },
            {
              ...{ kind: 'epoch' as const, epoch: n, group: null, step: n, steps: 1, loss: 1 / (n + 1), seconds: 1 },
              values: Object.fromEntries(classes.map((name, k) => [`dice/${name}`, diceAt(n, k)])),
              intervals: Object.fromEntries(
                classes.map((name, k) => [
                  `dice/${name}`,
                  [diceAt(n, k) - 0.08, diceAt(n, k) + 0.04] as [number, number],
                ]),
              ),
              ...{ warnings: [], time: time(n) },
            },
          ]).flat(),
        },
      ],
    });
    const { page, problems } = await watchedPage(browser);
    await page.goto(`file://${classesFile}`);
    const together = page.locator('[data-series="epochs:dice/*"]');
    await together.scrollIntoViewIfNeeded();
    await together.locator('canvas').waitFor();
    await drawn(page);
    expect(await together.locator('h3').innerText()).toBe('Dice of all classes');
    expect(await together.locator('.chart-value').innerText()).toBe('0.19 … 0.84');
    // So many names need the room of an enlarged chart.
    expect(await together.locator('.chart-legend').isVisible()).toBe(false);
    await together.getByRole('button', { name: 'Enlarge Dice of all classes' }).click();
    await expect.poll(() => together.locator('.chart-legend li').allInnerTexts()).toEqual(classes);
    for (const color of [first, second])
      await expect.poll(() => countColor(page, 'epochs:dice/*', color)).toBeGreaterThan(20);
    await together.locator('.chart-body').focus();
    await page.keyboard.press('ArrowRight');
    const tooltip = together.locator('.tooltip');
    // The best six and the worst six of 14.
    await expect.poll(() => tooltip.locator('.tooltip-row').count()).toBe(12);
    expect(await tooltip.innerText()).toMatch(/organ 14[\s\S]*organ 9[\s\S]*organ 6[\s\S]*organ 1[\s\S]*and 2 between/);

    await together.locator('.chart-body').blur();
    const single = page.locator('[data-series="epochs:dice/organ 3"]');
    await single.scrollIntoViewIfNeeded();
    await expect.poll(() => single.locator('.chart-value').innerText()).toBe('0.29 (0.21–0.33)');
    // A chart that has not been drawn has no rows for the cursor yet.
    await single.locator('canvas').waitFor();
    await drawn(page);
    await single.locator('.chart-body').focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => single.locator('.tooltip').innerText()).toMatch(/95 %: 0\.\d+–0\.\d+/);
    expect(await problems()).toEqual([]);
    await page.context().close();
  });

  test('draws a kind of run that it was not built with, by the catalogue that comes with the data', async () => {
    const task = join(folder, 'task.html');
    const time = (step: number) => new Date(Date.UTC(2026, 0, 1) + step * 1000).toISOString();
    await writeReport(task, {
      title: 'A task without groups',
      runs: [
        {
          ...{ id: 'line', name: 'line', state: 'finished' },
          series: [{ key: 'slope', of: 'step', title: 'Slope of the line', unit: 'px', panel: 'loss', help: 'Rises.' }],
          records: Array.from({ length: 50 }, (_, step) => ({
            ...{ kind: 'step', step, epoch: 0, group: null, loss: 1 / (step + 1), values: { slope: step, extra: 1 } },
            ...{ stepMs: 5, waitMs: 0, rssMiB: 100, time: time(step) },
          })),
        },
      ],
    });
    const { page, problems } = await watchedPage(browser);
    await page.goto(`file://${task}`);
    await page.locator('[data-series="steps:slope"] canvas').waitFor();
    await drawn(page);
    expect(await page.locator('[data-series="steps:slope"]').innerText()).toMatch(/Slope of the line\s+px/);
    expect(await countColor(page, 'steps:slope', first)).toBeGreaterThan(20);
    expect(await page.locator('[data-series="steps:extra"]').innerText()).toContain('Extra');
    expect(await page.locator('.legend').isVisible()).toBe(false);
    expect(await page.locator('.tiles').innerText()).toMatch(/^Loss$/m);
    expect(await problems()).toEqual([]);
    await page.context().close();
  });

  test('limits are lines in the curves of the run whose catalogue has them; the verdict is at the top', async () => {
    const limited = join(folder, 'limits.html');
    const records = madeUpRecords({ steps: 400, stepsPerEpoch: 50 });
    const limits = [{ value: 2, wrong: 'below', label: 'one direction' }] as const;
    const series = seriesOf.pretrain.map((one) => (one.key === 'effectiveRank' ? { ...one, limits } : one));
    await writeReport(limited, {
      title: 'Limits',
      runs: [{ id: 'a', name: 'healthy', state: 'finished', records, series }],
    });
    const { page, problems } = await watchedPage(browser, { viewport: { width: 1400, height: 3000 } });
    await page.goto(`file://${limited}`);
    await page.locator('[data-series="epochs:featureStd:2D"] canvas').waitFor();
    await drawn(page);
    const warning = '#f0b429';
    for (const key of ['epochs:effectiveRank:overview', 'epochs:effectiveRank:2D', 'epochs:effectiveRank:3D'])
      expect(await countColor(page, key, warning), key).toBeGreaterThan(100);
    expect(await countColor(page, 'epochs:featureStd:2D', warning)).toBe(0);
    expect(await page.locator('.verdict').innerText()).toMatch(
      /^No sign of collapse in 8 epochs\. Best mean loss: [\d.]+ in 2D \(epoch 6\), [\d.]+ in 3D \(epoch 8\)\.$/,
    );
    expect(await problems()).toEqual([]);
    await page.context().close();
  });

  test('a warning of collapse stands where it happened, with its advice', () =>
    withPage(async (page) => {
      const warning = page.locator('.warning');
      expect(await warning.count()).toBe(1);
      const line = page.locator('.warnings summary');
      expect(await line.innerText()).toMatch(/1 warning[\s\S]*same output/);
      await line.click();
      expect(await warning.innerText()).toMatch(
        /same output[\s\S]*Try a faster centre[\s\S]*Steps 500 to 600, 3 times/,
      );
      // In a report nothing can be started, so there are no other buttons.
      expect(await warning.getByRole('button').allInnerTexts()).toEqual(['Show in Curves', 'Dismiss']);
      await warning.getByRole('button', { name: 'Dismiss' }).click();
      await expect.poll(() => line.innerText()).toMatch(/^!?\s*1 dismissed warning/);
      expect(await warning.count()).toBe(0);
      await page.getByRole('button', { name: 'Show Dismissed Warnings' }).click();
      await warning.getByRole('button', { name: 'Show in Curves' }).click();
      await expect.poll(async () => (await stateOf(page))?.view?.[0]).toBeCloseTo(499 - 599 / 10, 0);
    }));

  test('the table of runs: settings that differ, sorting, emphasis of the run under the pointer', () =>
    withPage(async (page) => {
      const column = (title: string) => page.locator('.runs thead button', { hasText: title });
      const names = () => page.locator('.runs tbody tr').evaluateAll((rows) => rows.map((row) => row.dataset.run));
      expect(await page.locator('.runs thead').innerText()).toMatch(
        /Run\s+State\s+Epoch\s+Collapse checks\s+Loss 2D\s+Loss 3D\s+train\.lr\s*$/,
      );
      await column('train.lr').click();
      expect(await names()).toEqual(['b', 'a']);
      await column('train.lr').click();
      expect(await names()).toEqual(['a', 'b']);
      expect(await page.locator('th[data-column="setting:train.lr"]').getAttribute('aria-sort')).toBe('descending');

      const [own, other] = [await countColor(page, loss, first), await countColor(page, loss, second)];
      const rank = 'epochs:effectiveRank:overview';
      const markers = await countColor(page, rank, second);
      await page.locator('tr[data-run="b"]').hover();
      await drawn(page);
      expect(await countColor(page, loss, first)).toBeLessThan(own / 4);
      expect(await countColor(page, loss, second)).toBeGreaterThanOrEqual(other);
      // Its warnings of collapse are marked, in its colour.
      expect(await countColor(page, rank, second)).toBeGreaterThan(markers + 50);
      await page.mouse.move(5, 5);
      await drawn(page);
      expect(await countColor(page, loss, first)).toBe(own);
      expect(await page.locator('.run-legend li').count()).toBe(2);
    }));

  test('events: important ones first; a line counts the others', () =>
    withPage(async (page) => {
      const list = page.locator('.events');
      expect(await list.innerText()).not.toContain('Checkpoint of epoch');
      expect(await page.locator('.section', { has: list }).innerText()).toContain(
        'Not shown: 20 checkpoints, newest at step 600.',
      );
      await page.getByRole('button', { name: 'Checkpoints (20)' }).click();
      await expect.poll(() => list.innerText()).toContain('Checkpoint of epoch 11 saved.');
      await expect.poll(async () => (await stateOf(page))?.events).toEqual(['important', 'checkpoint']);
    }));

  test('previews: newest first, older ones by slider and buttons; pictures load', () =>
    withPage(async (page) => {
      const place = page.locator('.preview-controls output');
      expect(await place.innerText()).toBe('step 399, epoch 8 (newest)');
      await page.locator('.previews').scrollIntoViewIfNeeded();
      const sizes = () =>
        page.locator('.previews img').evaluateAll((all) => all.map((i) => (i as HTMLImageElement).naturalWidth));
      await expect.poll(sizes).toEqual([...Array(8).fill(64), ...Array(4).fill(768)]);
      const source = await page.locator('.previews img').first().getAttribute('src');
      await page.getByRole('button', { name: 'Older' }).click();
      await expect.poll(() => place.innerText()).toBe('step 200, epoch 5');
      await page.locator('#um-preview-step').press('ArrowLeft');
      await expect.poll(() => place.innerText()).toBe('step 0, epoch 1');
      expect(await page.locator('.previews img').first().getAttribute('src')).not.toBe(source);
    }));

  test('a picture is enlarged: arrows and wheel go through slices and pictures; Escape gives the focus back', () =>
    withPage(async (page) => {
      const box = page.locator('.lightbox');
      const caption = () => box.getByRole('status').innerText();
      const picture = () => box.locator('canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
      await page.locator('.flat .picture').first().click();
      await expect.poll(caption).toBe('chest-1.png · view 1 · step 399, epoch 8');
      await page.keyboard.press('ArrowRight');
      await expect.poll(caption).toBe('chest-1.png · view 2 · step 399, epoch 8');
      await page.keyboard.press('Escape');
      await expect.poll(() => box.isVisible()).toBe(false);
      expect(await page.evaluate(() => document.activeElement?.className)).toBe('picture');

      await page.locator('.strips .picture').first().click();
      await expect.poll(caption).toBe('volume-1.nii.gz · view 1 · step 399, epoch 8 · slice 9 of 16');
      const middle = await picture();
      await page.keyboard.press('ArrowRight');
      await expect.poll(caption).toContain('slice 10 of 16');
      expect(await picture()).not.toBe(middle);
      await page.mouse.wheel(0, -100);
      await expect.poll(caption).toContain('slice 9 of 16');
      await page.keyboard.press('ArrowDown');
      await expect.poll(caption).toBe('volume-1.nii.gz · view 2 · step 399, epoch 8 · slice 9 of 16');
      await box.getByLabel('Contrast').fill('2');
      expect(await box.locator('canvas').evaluate((canvas) => canvas.style.filter)).toBe('brightness(1) contrast(2)');
    }));

  test.each([
    ['light', { colorScheme: 'light' }, '#0b63c5', 'rgb(248, 248, 248)'],
    ['high contrast', { colorScheme: 'dark', contrast: 'more' }, '#6fc3ff', 'rgb(0, 0, 0)'],
    ['light high contrast', { colorScheme: 'light', contrast: 'more' }, '#0047a0', 'rgb(255, 255, 255)'],
  ] as const)('%s colours', (_, options, color, background) =>
    withPage(async (page) => {
      expect(await countColor(page, loss, color)).toBeGreaterThan(100);
      expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(background);
    }, options),
  );

  test('nothing moves when pointing, smoothing or switching runs', () =>
    withPage(async (page) => {
      await page.evaluate(() => {
        const shifts: number[] = [];
        Object.assign(window, { shifts });
        new PerformanceObserver((list) => {
          for (const e of list.getEntries()) shifts.push((e as unknown as { value: number }).value);
        }).observe({ type: 'layout-shift' });
      });
      const box = await plotOf(page, loss);
      for (const share of [0.1, 0.5, 0.9]) await page.mouse.move(box.x + box.width * share, box.y + 80);
      await page.getByLabel('Smoothing').fill('0.9');
      await page.getByText('Log scale').click();
      await drawn(page);
      expect(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)).toEqual([]);
    }));

  test('a run of 100,000 steps opens and scrolls', async () => {
    const long = join(folder, 'long.html');
    await writeReport(long, {
      title: 'Long',
      runs: [
        { id: 'a', name: 'long', state: 'finished', records: madeUpRecords({ steps: 100_000, stepsPerEpoch: 500 }) },
      ],
    });
    const { page, problems } = await watchedPage(browser);
    await page.goto(`file://${long}`);
    await page.locator(`[data-series="${loss}"] canvas`).waitFor();
    const opened = await page.evaluate(() => performance.now());
    const frames = await page.evaluate(async () => {
      const times: number[] = [];
      const frame = () => new Promise<number>((done) => requestAnimationFrame(done));
      let last = await frame();
      const depth = document.documentElement.scrollHeight - innerHeight;
      for (let i = 1; i <= 60; i++) {
        scrollTo(0, (depth * i) / 60);
        const now = await frame();
        times.push(now - last);
        last = now;
      }
      return times.sort((a, b) => a - b);
    });
    console.log(
      `100,000 steps: drawn after ${Math.round(opened)} ms; frames while scrolling: median ${frames[30]!.toFixed(1)} ms, 95 % ${frames[57]!.toFixed(1)} ms, longest ${frames[59]!.toFixed(1)} ms`,
    );
    // The bounds allow for a busy machine; the test prints the figures.
    expect(opened).toBeLessThan(4000);
    expect(frames[30]).toBeLessThan(50);
    expect(await problems()).toEqual([]);
    await page.context().close();
  });

  test('fed by messages, as in the panel: follows a live run, asks for what it missed, keeps its state, follows the theme', async () => {
    const { page, problems } = await watchedPage(browser);
    const origin = 'http://panel.test';
    const page1 = `<!doctype html><html><head><link rel="stylesheet" href="metrics.css"></head><body class="vscode-dark">
<script nonce="n">
  const kept = { sent: [], state: undefined };
  window.kept = kept;
  window.acquireVsCodeApi = () => ({ postMessage: (m) => kept.sent.push(m), getState: () => kept.state, setState: (s) => { kept.state = s; } });
</script><script nonce="n" src="metrics.js"></script></body></html>`;
    const policy = `default-src 'none'; img-src data:; style-src ${origin}; script-src 'nonce-n'`;
    await page.route(`${origin}/**`, async (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      const headers = { 'content-security-policy': policy };
      if (name === '') await route.fulfill({ body: page1, contentType: 'text/html', headers });
      else if (name === 'favicon.ico') await route.fulfill({ status: 204 });
      else
        await route.fulfill({
          body: await readFile(join('dist/webviews', name)),
          contentType: name.endsWith('.css') ? 'text/css' : 'text/javascript',
        });
    });
    await page.goto(`${origin}/`);
    const kept = () =>
      page.evaluate(() => (window as unknown as { kept: { sent: unknown[]; state: MetricsState | undefined } }).kept);
    const send = (message: unknown) => page.evaluate((m) => postMessage(m, '*'), JSON.parse(JSON.stringify(message)));
    expect((await kept()).sent).toEqual([{ type: 'ready' }]);
    await expect.poll(() => page.locator('main').innerText()).toContain('Waiting for data.');

    const plain = (columns: Record<string, ArrayLike<number | null>>) =>
      Object.fromEntries(
        Object.entries(columns).map(([k, v]) => [k, Array.from(v, (x) => (Number.isFinite(x) ? x : null))]),
      );
    const whole = snapshotOf({
      title: 'Live',
      runs: [{ id: 'a', name: 'live', state: 'running', records: madeUpRecords({ steps: 200, stepsPerEpoch: 50 }) }],
    });
    const run = whole.runs[0]!;
    const all = plain(run.steps.columns);
    const part = (from: number, to: number) => ({
      columns: Object.fromEntries(Object.entries(all).map(([k, v]) => [k, v.slice(from, to)])),
    });
    await send({ ...whole, runs: [{ ...run, steps: part(0, 100), epochs: { columns: plain(run.epochs.columns) } }] });
    await page.locator(`[data-series="${loss}"] canvas`).waitFor();
    await drawn(page);
    const picture = await pictureOf(page, loss);
    await send({ type: 'append', sequence: 2, run: 'a', steps: part(150, 200) });
    await expect.poll(async () => (await kept()).sent.at(-1)).toEqual({ type: 'resend', after: 0 });
    await send({ type: 'append', sequence: 1, run: 'a', steps: part(100, 150) });
    await send({
      type: 'append',
      sequence: 2,
      run: 'a',
      steps: part(150, 200),
      progress: { step: 200, totalSteps: 400 },
    });
    await expect.poll(() => page.locator('.tiles').innerText()).toContain('200 of 400 steps');
    await drawn(page);
    expect(await pictureOf(page, loss)).not.toBe(picture);

    // What the user wants done is told to the editor.
    const time = Date.now();
    const broken = [
      { kind: 'warning', event: 'broken', step: 0, time, message: 'ct/1.nii: is cut off', file: 'ct/1.nii' },
      { kind: 'warning', event: 'broken', step: 0, time, message: 'b.png: no pixels', file: 'b.png' },
    ];
    const queued = { state: 'queued', waits: 'Position 2 in the queue.', queue: 2 };
    await send({ type: 'append', sequence: 3, run: 'a', events: broken, ...queued });
    await page.locator('.warnings-line').click();
    await page.getByText('Show the 2 images').click();
    await page.getByRole('button', { name: 'Show File' }).nth(1).click();
    expect((await kept()).sent.at(-1)).toEqual({ type: 'openImage', run: 'a', image: 'b.png' });
    const [pretrained, finetuned] = [madeUpPreviews([0], 50)[0]!, madeUpPreviews([100], 50)[0]!];
    await page.getByRole('button', { name: 'Move Up' }).click();
    expect((await kept()).sent.at(-1)).toEqual({ type: 'act', run: 'a', action: 'moveUp' });
    await send({ type: 'append', sequence: 4, run: 'a', ...queued, queue: 1 });
    await expect.poll(() => page.getByRole('button', { name: 'Move Up' }).isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Remove from Queue' }).click();
    expect((await kept()).sent.at(-1)).toEqual({ type: 'act', run: 'a', action: 'cancel' });
    await send({ type: 'append', sequence: 5, run: 'a', state: 'running', previews: [pretrained] });
    await page.getByRole('button', { name: 'chest-1.png', exact: true }).click();
    expect((await kept()).sent.at(-1)).toEqual({ type: 'openImage', run: 'a', image: 'chest-1.png' });
    const [image] = finetuned.images;
    const three = {
      name: image!.name,
      views: [...image!.views, image!.views[0]],
      titles: ['image', 'reference', 'prediction'],
    };
    await send({ type: 'append', sequence: 6, run: 'a', previews: [{ ...finetuned, images: [three] }] });
    await expect.poll(() => page.locator('.view-name').allInnerTexts()).toEqual(['image', 'reference', 'prediction']);
    await expect.poll(() => page.getByRole('button', { name: 'Remove from Queue' }).isVisible()).toBe(false);

    // What ended a run has a button for what it advises.
    const ended = (code: string, message: string) => [
      { kind: 'error', event: 'error', step: 200, time, message, code },
    ];
    await send({ type: 'append', sequence: 7, run: 'a', state: 'failed', events: ended('disk', 'no space is left') });
    await page.getByRole('button', { name: 'Resume' }).click();
    expect((await kept()).sent.at(-1)).toEqual({ type: 'act', run: 'a', action: 'resume' });
    await send({ type: 'append', sequence: 8, run: 'a', events: ended('diverged', 'the loss is NaN') });
    await page.getByRole('button', { name: 'New Run with Lower Learning Rate' }).first().click();
    expect((await kept()).sent.at(-1)).toEqual({ type: 'act', run: 'a', action: 'lowerRate' });

    await page.getByLabel('Smoothing').fill('0.3');
    await expect.poll(async () => (await kept()).state?.smoothing).toBe(0.3);
    expect(await countColor(page, loss, '#0b63c5')).toBe(0);
    await page.evaluate(() => document.body.classList.replace('vscode-dark', 'vscode-light'));
    await expect.poll(() => countColor(page, loss, '#0b63c5')).toBeGreaterThan(100);

    await send({ type: 'append', sequence: 'three' });
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('Cannot show the data');
    expect(await problems()).toEqual([]);
    await page.context().close();
  });

  test('a queued run says its place; a stopped one how far it came, and that its warning is resolved', async () => {
    const file = join(folder, 'states.html');
    const event = (name: 'warning' | 'resume', step: number) =>
      ({ kind: 'event', event: name, message: `${name} at ${step}`, step, time: '2026-11-23T10:00:00.000Z' }) as const;
    const records = [...madeUpRecords({ steps: 100, stepsPerEpoch: 50 }), event('warning', 100), event('resume', 100)];
    const about = { id: 'a', name: 'a', records };
    const texts = async (run: object) => {
      await writeReport(file, { title: 'One', runs: [{ ...about, state: 'stopped', ...run }] });
      const { page, problems } = await watchedPage(browser);
      await page.goto(`file://${file}`);
      await page.locator('.summary').waitFor();
      await drawn(page);
      const text = await page.locator('main').innerText();
      expect(await problems()).toEqual([]);
      await page.context().close();
      return text;
    };
    const waits = 'Position 2 in the queue for cpu, used by chest.';
    const queued = await texts({ state: 'queued', records: [], waits });
    expect(queued).toContain(waits);
    expect(queued).toContain('Previews appear after the first epoch.');
    expect(queued).toContain('No events yet.');
    const stopped = await texts({ progress: { step: 100, epoch: 1, totalEpochs: 8 } });
    expect(stopped).toMatch(/Progress\s+25 %\s+100 steps/);
    expect(stopped).toMatch(/1 resolved warning\s+warning at 100 resolved: resumed at step 100/);
    const progress = { step: 115, totalSteps: 400, epoch: 2, totalEpochs: 8, secondsLeft: 3200 };
    expect(await texts({ state: 'running', progress })).toContain('estimating…');
    expect(await texts({ state: 'running', progress: { ...progress, step: 120 } })).toContain('≈ 53 min');
  });

  test('a report prints whole: its facts first, everything unfolded and drawn, no controls; then it is as before', async () => {
    const file = join(folder, 'printed.html');
    const records = madeUpRecords({ steps: 200, stepsPerEpoch: 50 });
    const about = [{ label: 'Run', value: 'chest-20261123-090000', note: 'preset nano' }];
    const run = { id: 'a', name: 'chest', state: 'finished' as const, records, previews: madeUpPreviews([0], 50) };
    await writeReport(file, { title: 'chest', runs: [{ ...run, about, settings: { 'train.lr': '0.05' } }] });
    const { page, problems } = await watchedPage(browser);
    await page.goto(`file://${file}`);
    await page.locator(`[data-series="${loss}"] canvas`).waitFor();
    // A click of the pointer would scroll there, and draw all charts on the way.
    await page.locator('summary', { hasText: 'Optimiser' }).dispatchEvent('click');
    await expect.poll(async () => (await stateOf(page))?.closedSections).toEqual(['optimiser']);
    const shape = () =>
      page.evaluate(() => ({
        charts: document.querySelectorAll('.chart').length,
        drawn: document.querySelectorAll('.chart canvas').length,
        open: document.querySelectorAll('details[open]').length,
        first: document.querySelector('.section h2')?.textContent,
        dark: document.body.classList.contains('vscode-dark'),
      }));
    const before = await shape();
    expect(before.drawn).toBeLessThan(before.charts);
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await shape()).toEqual({
      ...{ charts: before.charts, drawn: before.charts, open: await page.locator('details').count() },
      ...{ first: 'About this report', dark: false },
    });
    const widest = await page.locator('.chart').evaluateAll((all) => {
      const { left } = document.querySelector('main')!.getBoundingClientRect();
      return Math.max(...all.map((chart) => chart.getBoundingClientRect().right - left));
    });
    expect(widest).toBeLessThanOrEqual((186 / 25.4) * 96 + 1);
    for (const control of ['.field', '.chips', '.icon-button', '.preview-controls'])
      expect(await page.locator(control).first().isVisible(), control).toBe(false);
    const text = await page.locator('main').innerText();
    for (const part of ['chest-20261123-090000 preset nano', 'not for clinical use', 'ECCV 2022', 'train.lr'])
      expect(text).toContain(part);
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    await page.emulateMedia({ media: 'screen' });
    expect(await shape()).toMatchObject({ open: before.open, first: before.first, dark: true });
    expect((await stateOf(page))?.closedSections).toEqual(['optimiser']);
    expect(await problems()).toEqual([]);
    await page.context().close();
  });

  test('empty states say why they are empty', async () => {
    const empty = join(folder, 'empty.html');
    await writeReport(empty, { title: 'Empty', runs: [{ id: 'a', name: 'new', state: 'running', records: [] }] });
    const { page, problems } = await watchedPage(browser);
    await page.goto(`file://${empty}`);
    await expect.poll(() => page.locator('main').innerText()).toContain('No records yet');
    expect(await page.locator('.chart canvas').count()).toBe(0);
    expect(await problems()).toEqual([]);
    await page.context().close();
  });
});

function width(state: MetricsState | null): number {
  const view = state?.view;
  return view ? view[1] - view[0] : Number.POSITIVE_INFINITY;
}
