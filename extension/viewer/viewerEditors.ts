import {
  type CustomReadonlyEditorProvider,
  Disposable,
  type ExtensionContext,
  Uri,
  type WebviewPanel,
  window,
} from 'vscode';
import { ImageDocument } from './imageDocument.ts';
import { readViewerAssets, type ViewerAssets, viewerPage } from './viewerPage.ts';
import { ViewerSession } from './viewerSession.ts';

/** The editor for volumes, which a click opens, and the same one for other files, which is offered. */
export const viewTypes = { volumes: 'unimiss.viewer', others: 'unimiss.viewerOther' } as const;

/** The viewer: an editor for images that only reads them. It needs neither daemon nor engine, and no trust in the workspace. */
export class ViewerEditors implements CustomReadonlyEditorProvider<ImageDocument>, Disposable {
  private readonly registered: Disposable;
  private assets: ViewerAssets | undefined;

  constructor(
    private readonly context: ExtensionContext,
    private readonly failed: (error: unknown) => void,
  ) {
    this.registered = Disposable.from(
      ...Object.values(viewTypes).map((type) =>
        window.registerCustomEditorProvider(type, this, { supportsMultipleEditorsPerDocument: true }),
      ),
    );
  }

  dispose(): void {
    this.registered.dispose();
  }

  openCustomDocument(uri: Uri): ImageDocument {
    return new ImageDocument(uri, Uri.joinPath(this.context.extensionUri, 'dist', 'daemon', 'image-thread.js').fsPath);
  }

  resolveCustomEditor(document: ImageDocument, panel: WebviewPanel): void {
    this.assets ??= readViewerAssets(Uri.joinPath(this.context.extensionUri, 'dist', 'webviews').fsPath);
    panel.webview.options = { enableScripts: true, localResourceRoots: [] };
    new ViewerSession(panel, document, this.failed);
    panel.webview.html = viewerPage(this.assets);
  }
}
