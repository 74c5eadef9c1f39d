import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { readPageAssets, webviewPage } from '../../extension/webviewPage.ts';
import type { MetricsMessage } from '../../protocol/metrics/page.ts';
import { type Theme, themeStyle } from '../viewer/themes.ts';
import { watchedPage } from './browser.ts';

/** The metrics panel in a browser, with the colours of the editor's theme and a host that notes what the page wants. */
export interface PanelPage {
  readonly page: Page;
  readonly problems: () => Promise<string[]>;
  /** What the page has told its host. */
  readonly said: unknown[];
  send(message: MetricsMessage): Promise<void>;
}

/** @param runs ids of the runs that the panel is for */
export async function openPanel(
  browser: Browser,
  { theme = 'dark', runs = ['a'], ...options }: BrowserContextOptions & { theme?: Theme; runs?: string[] } = {},
): Promise<PanelPage> {
  const { page, problems } = await watchedPage(browser, options);
  const said: unknown[] = [];
  await page.exposeBinding('toExtension', (_, message: unknown) => void said.push(message));
  await page.addInitScript({
    content: `let kept; globalThis.acquireVsCodeApi = () => ({
      postMessage: (message) => void toExtension(message), getState: () => kept, setState: (state) => { kept = state; } });`,
  });
  const { script, style } = readPageAssets('dist/webviews', 'metrics');
  const frame = { title: 'UniMiSS metrics', pictures: true, data: { runs: JSON.stringify(runs) } };
  const html = webviewPage({ script, style: style + themeStyle(theme) }, frame).replace(
    '<body',
    `<body class="${bodyClass(theme)}"`,
  );
  await page.route('http://panel.test/', (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto('http://panel.test/');
  const send = async (message: MetricsMessage) => {
    // Typed arrays would become objects on the way.
    const plain = JSON.stringify(message, (_, value) =>
      value instanceof Float64Array ? Array.from(value, finite) : value,
    );
    await page.evaluate(`postMessage(${plain}, '*')`);
  };
  return { page, problems, said, send };
}

/** The class that the editor gives the body of a webview. */
export function bodyClass(theme: Theme): string {
  if (theme === 'hc-light') return 'vscode-high-contrast vscode-high-contrast-light';
  return theme === 'hc-dark' ? 'vscode-high-contrast' : `vscode-${theme}`;
}

const finite = (value: number) => (Number.isFinite(value) ? value : null);
