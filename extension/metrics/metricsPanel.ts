import { basename } from 'node:path';
import { type Disposable, Uri, type WebviewPanel } from 'vscode';
import { metricsSubscribe, metricsUpdate, type Position } from '../../protocol/messages.ts';
import type { MetricsRequest } from '../../protocol/metrics.ts';
import type { DaemonClient, Subscription } from '../client/daemonClient.ts';
import { panelPage } from './panelPage.ts';

/**
 * One panel: hands what the daemon says about its runs on to the component, as it is. While the panel is hidden its page
 * does not exist, and nothing is subscribed; the page says `ready` whenever it is made.
 */
export class MetricsPanel implements Disposable {
  private readonly subscriptions: Disposable[];
  private subscription: Promise<Subscription> | undefined;
  /** Of the last update that was handed on. */
  private seen: { sequence: number; positions: Record<string, Position> } | undefined;
  private ready = false;

  constructor(
    private readonly panel: WebviewPanel,
    private readonly daemon: DaemonClient,
    readonly runs: readonly string[],
    extensionUri: Uri,
    private readonly failed: (error: unknown) => void,
    closed: () => void,
  ) {
    const { webview } = panel;
    const webviews = Uri.joinPath(extensionUri, 'dist', 'webviews');
    webview.options = { enableScripts: true, localResourceRoots: [webviews] };
    panel.title = panelTitle(runs);
    const icon = (theme: string) => Uri.joinPath(extensionUri, 'extension', 'media', `panel-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    this.subscriptions = [
      webview.onDidReceiveMessage((message: MetricsRequest) => this.receive(message)),
      daemon.onDidConnect(() => this.ready && this.subscribe(this.seen)),
      panel.onDidChangeViewState(() => {
        if (panel.visible) return;
        this.ready = false;
        this.end();
      }),
      panel.onDidDispose(() => {
        this.dispose();
        closed();
      }),
    ];
    webview.html = panelPage(webview, webviews, runs);
  }

  reveal(): void {
    this.panel.reveal();
  }

  dispose(): void {
    this.end();
    for (const one of this.subscriptions) one.dispose();
  }

  private receive(message: MetricsRequest): void {
    if (message.type === 'ready') {
      this.ready = true;
      this.subscribe(undefined);
    } else if (message.type === 'resend') this.subscribe(undefined);
  }

  /** @param after what the page has; undefined: it needs a snapshot */
  private subscribe(after: typeof this.seen): void {
    this.end();
    const subscription = this.daemon.subscribe(
      metricsSubscribe,
      { runs: [...this.runs], after },
      () => {},
      metricsUpdate,
      ({ message, positions }) => {
        if (this.subscription !== subscription) return;
        this.seen = { sequence: message.sequence, positions };
        void this.panel.webview.postMessage(message);
      },
    );
    this.subscription = subscription;
    subscription.catch(this.failed);
  }

  private end(): void {
    this.subscription?.then((subscription) => subscription.end()).catch(this.failed);
    this.subscription = undefined;
  }
}

function panelTitle(runs: readonly string[]): string {
  return runs.length === 1 ? basename(runs[0]!) : `${runs.length} runs`;
}
