import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { readPageAssets, webviewPage } from '../../extension/webviewPage.ts';
import type { LargestError } from '../../images/messages.ts';
import { OpenImage } from '../../images/openImage.ts';
import { fromErrorData, toErrorData } from '../../protocol/daemon/wireError.ts';
import { type ViewerMessage, type ViewerRequest, viewerRequest } from '../../protocol/viewer/page.ts';
import type { ImageSettings, ViewerOptions } from '../../protocol/viewer/settings.ts';
import { watchedPage } from '../metrics/browser.ts';
import { type Theme, themeStyle } from './themes.ts';

export interface ViewerPageOptions {
  readonly theme?: Theme;
  readonly settings?: ImageSettings;
  readonly options?: ViewerOptions;
  /** Overlays beside those that are found. */
  readonly overlays?: readonly string[];
  readonly context?: BrowserContextOptions;
}

/** The viewer's real page in a browser, before an image that is open in this process: what the extension does between the two, without an editor. */
export class PageOfViewer {
  /** What the page asked for, checked as the extension checks it. */
  readonly requests: ViewerRequest[] = [];
  private image: Promise<OpenImage> | undefined;
  private readonly outbox: ViewerMessage[] = [];
  private wake: (() => void) | undefined;

  private constructor(
    readonly page: Page,
    readonly problems: () => Promise<string[]>,
    private readonly path: string,
    private readonly given: ViewerPageOptions,
  ) {}

  static async open(browser: Browser, path: string, given: ViewerPageOptions = {}): Promise<PageOfViewer> {
    const { theme = 'dark', context } = given;
    // axe is a foreign script, which the page's policy refuses; violations are reported all the same.
    const { page, problems } = await watchedPage(browser, { viewport: { width: 1280, height: 800 }, ...context });
    const opened = new PageOfViewer(page, problems, path, given);
    await page.exposeBinding('toExtension', (_, message: unknown) => opened.receive(message));
    await page.exposeBinding('nextMessage', () => opened.next());
    await page.addInitScript({
      content: `globalThis.acquireVsCodeApi = () => ({ postMessage: (message) => void toExtension(message) });
        (async () => { for (;;) dispatchEvent(Object.assign(new Event('message'), { data: await nextMessage() })); })();`,
    });
    const { script, style } = readPageAssets('dist/webviews', 'viewer');
    const frame = { title: 'UniMiSS Viewer', pictures: false };
    const html = webviewPage({ script, style: style + themeStyle(theme) }, frame).replace(
      '<body>',
      `<body class="vscode-${theme.startsWith('hc') ? 'high-contrast' : theme}">`,
    );
    await page.route('http://viewer.test/', (route) => route.fulfill({ contentType: 'text/html', body: html }));
    await page.goto('http://viewer.test/');
    return opened;
  }

  post(message: ViewerMessage): void {
    this.outbox.push(message);
    this.wake?.();
  }

  /** The next message; the page fetches them, since its policy would hear of a script that brings them. */
  private async next(): Promise<ViewerMessage> {
    for (;;) {
      const message = this.outbox.shift();
      if (message) return message;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** What the thread says of two layers. */
  async largestError(of: { reference: number; prediction: number }): Promise<LargestError> {
    const found = (await this.image)?.largestError(of);
    if (!found) throw new Error('there is no error');
    return found;
  }

  /** Reads a layer again, as the extension does where its file has changed. */
  async reload(layer: number): Promise<void> {
    const image = await this.image;
    if (image) this.post({ type: 'layer', layer: await image.reloadLayer(layer) });
  }

  /** A picture for whoever wants to look, in the folder `test-artifacts`. */
  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: `test-artifacts/viewer-page-${name}.png` });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  private async receive(input: unknown): Promise<void> {
    const request = viewerRequest.parse(input);
    this.requests.push(request);
    if (request.type === 'ready') await this.begin();
    if (request.type === 'volume') await this.show(request.volume);
    const image = await this.image?.catch(() => undefined);
    if (request.type === 'plane' && image) {
      const { type, volume, ...wanted } = request;
      const piece = await image.plane(wanted);
      this.post({ type, volume, piece: { ...piece, deflated: Uint8Array.from(piece.deflated) } });
    }
    if (request.type === 'removeLayer') this.post({ type: 'layerRemoved', layer: request.layer });
    if (request.type === 'header' && image) this.post({ type: 'header', header: await image.header(request.revealed) });
  }

  private async begin(): Promise<void> {
    const { options = { convention: 'radiological', windows: {}, predict: true }, settings } = this.given;
    this.post({ type: 'options', options });
    this.post({ type: 'settings', settings });
    await this.show(0);
  }

  private async show(volume: number): Promise<void> {
    const { overlays = [] } = this.given;
    this.image = OpenImage.open(this.path, volume, (reading) => this.post({ type: 'reading', reading }));
    try {
      const image = await this.image;
      this.post({ type: 'opened', image: image.opened });
      this.post({ type: 'range', range: await image.range() });
      const own = await image.ownLabels();
      if (own) this.post({ type: 'layer', layer: own });
      for (const path of own ? [] : await image.findOverlays())
        this.post({ type: 'layer', layer: await image.addLayer(path, false) });
      for (const path of overlays) this.post({ type: 'layer', layer: await image.addLayer(path, true) });
    } catch (error) {
      const data = toErrorData(error);
      this.post({ type: 'failed', name: this.path, error: toErrorData(fromErrorData(data)) });
    }
  }
}
