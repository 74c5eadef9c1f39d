import {
  type CustomReadonlyEditorProvider,
  commands,
  Disposable,
  type ExtensionContext,
  Uri,
  type WebviewPanel,
  window,
} from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { type PageAssets, readPageAssets, webviewPage } from '../webviewPage.ts';
import { ImageDocument } from './imageDocument.ts';
import { ImageMemory } from './imageMemory.ts';
import { ViewerSession } from './viewerSession.ts';

/** The editor for volumes, which a click opens, and the same one for other files, which is offered. */
export const viewTypes = { volumes: 'unimiss.viewer', others: 'unimiss.viewerOther' } as const;

/** What it shows of a file arrives by messages, and becomes text and pixels, never markup. */
export const viewerFrame = { title: 'UniMiSS Viewer', pictures: false } as const;

/** The viewer: an editor for images that only reads them. It needs neither daemon nor engine, and no trust in the workspace. */
export class ViewerEditors implements CustomReadonlyEditorProvider<ImageDocument>, Disposable {
  private readonly registered: Disposable;
  private readonly sessions = new Set<ViewerSession>();
  private readonly memory: ImageMemory;
  private assets: PageAssets | undefined;

  constructor(
    private readonly context: ExtensionContext,
    private readonly failed: (error: unknown) => void,
  ) {
    this.memory = new ImageMemory(context);
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
    this.assets ??= readPageAssets(Uri.joinPath(this.context.extensionUri, 'dist', 'webviews').fsPath, 'viewer');
    panel.webview.options = { enableScripts: true, localResourceRoots: [] };
    const session = new ViewerSession(
      panel,
      document,
      this.memory,
      this.failed,
      () => [...this.sessions],
      () => {
        this.sessions.delete(session);
        this.tellContext();
      },
    );
    this.sessions.add(session);
    this.tellContext();
    panel.webview.html = webviewPage(this.assets, viewerFrame);
  }

  /** For the `when` clauses of menus. */
  private tellContext(): void {
    void commands.executeCommand('setContext', 'unimiss.viewerOpen', this.sessions.size > 0);
  }

  /**
   * The editor that a command is about: the active one, or the only one in sight.
   * @throws UnimissError('data') where there is none
   */
  current(): ViewerSession {
    const all = [...this.sessions];
    const found = all.find(({ active }) => active) ?? all.find(({ visible }) => visible);
    if (found) return found;
    throw new UnimissError('data', 'no image is open', { remedy: 'Open an image in the UniMiSS Viewer first.' });
  }
}
