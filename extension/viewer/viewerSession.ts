import type { Disposable, WebviewPanel } from 'vscode';
import { toErrorData } from '../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { type ViewerMessage, type ViewerRequest, viewerRequest } from '../../protocol/viewer/page.ts';
import type { ImageDocument } from './imageDocument.ts';

/** One editor: passes the page's checked requests to the image's thread, and pieces of the image to the page. */
export class ViewerSession implements Disposable {
  private readonly subscriptions: Disposable[];

  constructor(
    private readonly panel: WebviewPanel,
    private readonly document: ImageDocument,
    private readonly failed: (error: unknown) => void,
  ) {
    this.subscriptions = [
      panel.webview.onDidReceiveMessage((message: unknown) => this.receive(message)),
      document.onDidRead((reading) => this.post({ type: 'reading', reading })),
      panel.onDidDispose(() => this.dispose()),
    ];
  }

  dispose(): void {
    for (const one of this.subscriptions) one.dispose();
  }

  private receive(input: unknown): void {
    const checked = viewerRequest.safeParse(input);
    if (checked.success) {
      this.answer(checked.data).catch(this.failed);
      return;
    }
    const why = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    this.failed(new UnimissError('internal', `the viewer's page sent a message that is not declared (${why})`));
  }

  private async answer(request: ViewerRequest): Promise<void> {
    switch (request.type) {
      case 'ready':
        return this.begin();
      case 'plane': {
        const { plane, index, nearest } = request;
        this.post({ type: 'plane', piece: await this.document.ask('plane', { plane, index, nearest }) });
      }
    }
  }

  /** All that a page needs which has just been loaded: also one that was hidden, and forgot everything. */
  private async begin(): Promise<void> {
    try {
      this.post({ type: 'opened', image: await this.document.opened });
      this.post({ type: 'reading', reading: this.document.reading });
      this.post({ type: 'range', range: await this.document.range });
    } catch (error) {
      if (!(error instanceof UnimissError)) throw error;
      this.post({ type: 'failed', name: this.document.name, error: toErrorData(error) });
    }
  }

  private post(message: ViewerMessage): void {
    void this.panel.webview.postMessage(message);
  }
}
