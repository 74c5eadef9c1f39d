import { basename } from 'node:path';
import { type Disposable, type Event, l10n, Uri, type WebviewPanel } from 'vscode';
import { metricsSubscribe, metricsUpdate, type Position } from '../../protocol/daemon/messages.ts';
import type { CheckedParamsOf, ParamsOf, ResultOf } from '../../protocol/daemon/rpc.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import { type MetricsMessage, type MetricsRequest, metricsRequest } from '../../protocol/metrics/page.ts';
import type { Subscription } from '../client/daemonClient.ts';
import { type PageAssets, webviewPage } from '../webviewPage.ts';

/** What the user asks for on a page: something about a run, or one of its images. */
export type PanelRequest = Extract<MetricsRequest, { run: string }>;

/** What a panel needs of a daemon: the curves of runs, and when to ask for them again. */
export interface MetricsDaemon {
  readonly onDidConnect: Event<void>;
  subscribe(
    type: typeof metricsSubscribe,
    params: ParamsOf<typeof metricsSubscribe>,
    answered: (answer: ResultOf<typeof metricsSubscribe>) => void,
    updates: typeof metricsUpdate,
    updated: (update: CheckedParamsOf<typeof metricsUpdate>) => void,
  ): Promise<Subscription>;
}

/** What a panel tells whoever opened it. */
export interface PanelOwner {
  failed(error: unknown): void;
  act(request: PanelRequest): void;
  closed(): void;
}

/**
 * One panel. It passes the daemon's messages about its runs to the component unchanged. It subscribes at once, so that the daemon
 * reads while the page loads; the page then says `ready`. A hidden panel has no page and no subscription.
 */
export class MetricsPanel implements Disposable {
  private readonly subscriptions: Disposable[];
  private subscription: Promise<Subscription> | undefined;
  /** The number of the last update passed on, and the position of each run in it. */
  private seen: { sequence: number; positions: Record<string, Position> } | undefined;
  private ready = false;
  /** Messages that arrived before the page was ready. */
  private waiting: MetricsMessage[] = [];

  constructor(
    private readonly panel: WebviewPanel,
    private readonly daemon: MetricsDaemon,
    readonly runs: readonly string[],
    { extensionUri, assets }: { readonly extensionUri: Uri; readonly assets: PageAssets },
    private readonly owner: PanelOwner,
  ) {
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [] };
    panel.title = panelTitle(runs);
    const icon = (theme: string) => Uri.joinPath(extensionUri, 'extension', 'media', `panel-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    this.subscriptions = [
      webview.onDidReceiveMessage((message: unknown) => this.receive(message)),
      daemon.onDidConnect(() => panel.visible && this.subscribe(this.ready ? this.seen : undefined)),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) {
          this.ready = false;
          this.end();
        } else if (!this.subscription) this.subscribe(undefined);
      }),
      panel.onDidDispose(() => {
        this.dispose();
        owner.closed();
      }),
    ];
    // The page keeps the runs in its state, which restores the panel after a reload.
    const data = { runs: JSON.stringify(runs) };
    webview.html = webviewPage(assets, { title: l10n.t('UniMiSS Metrics'), pictures: true, data });
    this.subscribe(undefined);
  }

  reveal(): void {
    this.panel.reveal();
  }

  dispose(): void {
    this.end();
    for (const one of this.subscriptions) one.dispose();
  }

  private receive(input: unknown): void {
    const checked = metricsRequest.safeParse(input);
    if (!checked.success) {
      const why = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
      this.owner.failed(
        new UnimissError(
          'internal',
          l10n.t('the metrics page sent a message that the protocol does not declare ({0})', why),
        ),
      );
      return;
    }
    const message = checked.data;
    if (message.type === 'act' || message.type === 'openImage') {
      // A page has no say about runs that it does not show.
      const run = this.runs.find((one) => one === message.run || parseAddress(one).path === message.run);
      if (run !== undefined) this.owner.act({ ...message, run });
      return;
    }
    const made = message.type === 'ready' && !this.ready;
    this.ready = true;
    // A page that reloads while the panel is visible has no data: earlier messages are lost.
    if (!made || !this.subscription) this.subscribe(undefined);
    for (const one of this.waiting.splice(0)) this.post(one);
  }

  private post(message: MetricsMessage): void {
    if (this.ready) void this.panel.webview.postMessage(message);
    else if (message.type === 'snapshot') this.waiting = [message];
    else this.waiting.push(message);
  }

  /** @param after the position of the page; undefined: it needs a snapshot */
  private subscribe(after: typeof this.seen): void {
    this.end();
    this.seen = after;
    const subscription = this.daemon.subscribe(
      metricsSubscribe,
      { runs: [...this.runs], after },
      () => {},
      metricsUpdate,
      ({ message, positions }) => {
        if (this.subscription !== subscription) return;
        this.seen = { sequence: message.sequence, positions: told(this.seen?.positions, message, positions) };
        this.post(message);
      },
    );
    this.subscription = subscription;
    subscription.catch((error) => {
      if (this.subscription === subscription) this.subscription = undefined;
      this.owner.failed(error);
    });
  }

  private end(): void {
    this.subscription?.then((subscription) => subscription.end()).catch((error) => this.owner.failed(error));
    this.subscription = undefined;
    this.waiting = [];
  }
}

/** Positions after an update, which contains only the positions of its runs. */
function told(
  before: Record<string, Position> | undefined,
  message: MetricsMessage,
  positions: Record<string, Position>,
): Record<string, Position> {
  if (message.type === 'snapshot') return positions;
  const all = { ...before, ...positions };
  if (message.type === 'remove') delete all[message.run];
  return all;
}

function panelTitle(runs: readonly string[]): string {
  return runs.length === 1 ? basename(runs[0]!) : l10n.t('{0} runs', runs.length);
}
