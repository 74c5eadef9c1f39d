import { type Disposable, type ExtensionContext, Uri, ViewColumn, type WebviewPanel, window } from 'vscode';
import { z } from 'zod';
import type { RoutedDaemon } from '../machines/routedDaemon.ts';
import { panelTypes } from '../viewTypes.ts';
import { type PageAssets, readPageAssets } from '../webviewPage.ts';
import { MetricsPanel, type PanelRequest } from './metricsPanel.ts';

/** What the page keeps for the extension in its state: see `MetricsPanel`. */
const kept = z.object({ runs: z.array(z.string().min(1)).min(1) });

/** The open panels, one per set of runs. */
export class MetricsPanels implements Disposable {
  private readonly open = new Map<string, MetricsPanel>();
  private assets: PageAssets | undefined;

  constructor(
    private readonly context: ExtensionContext,
    private readonly daemon: RoutedDaemon,
    private readonly failed: (error: unknown) => void,
    private readonly act: (request: PanelRequest) => void,
  ) {}

  /** A panel of an earlier window, with what its page kept. */
  async restore(panel: WebviewPanel, state: unknown): Promise<void> {
    const found = kept.safeParse(state);
    // The page was closed before it could save its state.
    if (found.success) this.adopt(panel, found.data.runs);
    else panel.dispose();
  }

  /** Shows the curves of these runs (folders) in the same charts. */
  show(runs: readonly string[]): void {
    const known = this.open.get(keyOf(runs));
    if (known) known.reveal();
    else this.adopt(window.createWebviewPanel(panelTypes.metrics, 'UniMiSS', ViewColumn.Active), runs);
  }

  dispose(): void {
    for (const panel of this.open.values()) panel.dispose();
  }

  private adopt(panel: WebviewPanel, runs: readonly string[]): void {
    const key = keyOf(runs);
    const daemon = this.daemon.ofAll(runs);
    const closed = () => {
      this.open.delete(key);
      daemon.dispose?.();
    };
    const { extensionUri } = this.context;
    this.assets ??= readPageAssets(Uri.joinPath(extensionUri, 'dist', 'webviews').fsPath, 'metrics');
    const page = { extensionUri, assets: this.assets };
    this.open.set(key, new MetricsPanel(panel, daemon, runs, page, { failed: this.failed, act: this.act, closed }));
  }
}

function keyOf(runs: readonly string[]): string {
  return JSON.stringify([...runs].sort());
}
