import {
  commands,
  type Disposable,
  type ExtensionContext,
  l10n,
  Uri,
  ViewColumn,
  type WebviewPanel,
  window,
} from 'vscode';
import { z } from 'zod';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { readText } from '../machines/readText.ts';
import { casesOfReport } from '../viewer/evaluatedCases.ts';
import { panelTypes } from '../viewTypes.ts';
import { reportPage } from './reportPage.ts';

/** What the page keeps for the extension in its state: see `reportPage`. */
const kept = z.object({ file: z.string().min(1) });
/** From the page, which is a border. */
export const reportRequest = z.object({ type: z.literal('openCase'), case: z.string().min(1).max(4096) });

/** Reports in files, as panels of the editor: one per file. */
export class ReportPanels implements Disposable {
  private readonly open = new Map<string, WebviewPanel>();

  constructor(
    private readonly context: ExtensionContext,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** A panel of an earlier window, with what its page kept. */
  async restore(panel: WebviewPanel, state: unknown): Promise<void> {
    const found = kept.safeParse(state);
    // The page was closed before it could save its state, or the report is gone.
    if (!found.success) return panel.dispose();
    const { file } = found.data;
    await this.fill(panel, file).catch((error) => {
      this.failed(error);
      panel.dispose();
    });
  }

  /**
   * Shows a report, or its newer content.
   * @param file absolute path, or an address on another machine
   * @throws UnimissError 'data' if it cannot be read or is no report
   */
  async show(file: string, title: string): Promise<void> {
    const page = await this.page(file);
    const known = this.open.get(file);
    const panel =
      known ?? window.createWebviewPanel(panelTypes.report, title, ViewColumn.Active, { enableFindWidget: true });
    if (!known) this.adopt(panel, file);
    panel.webview.html = page;
    panel.reveal();
  }

  dispose(): void {
    for (const panel of this.open.values()) panel.dispose();
  }

  private async fill(panel: WebviewPanel, file: string): Promise<void> {
    const page = await this.page(file);
    this.adopt(panel, file);
    panel.webview.html = page;
  }

  private adopt(panel: WebviewPanel, file: string): void {
    const { extensionUri } = this.context;
    const icon = (theme: string) => Uri.joinPath(extensionUri, 'extension', 'media', `panel-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    panel.webview.options = { enableScripts: true, localResourceRoots: [] };
    this.open.set(file, panel);
    panel.webview.onDidReceiveMessage((message: unknown) => {
      const checked = reportRequest.safeParse(message);
      if (checked.success) void commands.executeCommand('unimiss.openCase', file, checked.data.case);
      else this.failed(new UnimissError('internal', l10n.t("the report's page sent a message that is not declared")));
    });
    panel.onDidDispose(() => this.open.delete(file));
  }

  private async page(file: string): Promise<string> {
    const text = await readText(file).catch((cause) => {
      throw new UnimissError('data', l10n.t('cannot be read: {0}', messageOf(cause)), {
        place: file,
        remedy: l10n.t('Evaluate the run again.'),
        cause,
      });
    });
    const cases = (await casesOfReport(file, readText)).map((one) => one.case);
    return reportPage(text, file, Uri.joinPath(this.context.extensionUri, 'dist', 'webviews').fsPath, cases);
  }
}
