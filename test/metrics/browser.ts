import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findChromium, lack } from '../needs.ts';

const executablePath = findChromium();

/** Whether Debian's chromium is here: browser tests are skipped without, or fail where UNIMISS_REQUIRE names the browser. */
export const hasChromium =
  lack('browser', executablePath ? '' : 'chromium is missing: apt-get install chromium') === '';

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

export interface WatchedPage {
  page: Page;
  /** Errors and warnings of the console, uncaught errors, violations of the content security policy. */
  problems(): Promise<string[]>;
}

/**
 * A new page that notes what goes wrong in it. Scripts for the page are text here and below: this folder is checked without the DOM's types.
 */
export async function watchedPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 1000 },
    colorScheme: 'dark',
    ...options,
  });
  const page = await context.newPage();
  const noted: string[] = [];
  page.on('console', (message) => {
    // Chromium's advice to whoever reads pixels: that is countColor below.
    if (message.text().includes('willReadFrequently')) return;
    if (['error', 'warning'].includes(message.type())) noted.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => noted.push(`uncaught: ${error.message}`));
  await page.addInitScript({
    content: `window.violations = [];
      document.addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ': ' + e.blockedURI));`,
  });
  return {
    page,
    problems: async () => [...noted, ...(await page.evaluate<string[]>('violations')).map((v) => `policy: ${v}`)],
  };
}

/** How many pixels of a chart's canvas have about this colour (`#rrggbb`). */
export function countColor(page: Page, series: string, color: string): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = ${canvasOf(series)};
    const wanted = [1, 3, 5].map((at) => Number.parseInt('${color}'.slice(at, at + 2), 16));
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
      if (data[i + 3] > 200 && wanted.every((w, c) => Math.abs(data[i + c] - w) < 24)) count++;
    return count;
  })()`);
}

/** A chart's picture as data, to tell whether it changed. */
export function pictureOf(page: Page, series: string): Promise<string> {
  return page.evaluate<string>(`${canvasOf(series)}.toDataURL()`);
}

/** Resolves when what was asked for has been drawn: two frames later. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))');
}

function canvasOf(series: string): string {
  return `document.querySelector('[data-series="${series}"] canvas')`;
}
