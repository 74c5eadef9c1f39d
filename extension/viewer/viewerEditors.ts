import {
  type CustomReadonlyEditorProvider,
  commands,
  type ExtensionContext,
  l10n,
  Uri,
  ViewColumn,
  type WebviewPanel,
} from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { uriOf } from '../machines/machineUri.ts';
import { viewerTypes } from '../viewTypes.ts';
import { type PageAssets, readPageAssets, webviewPage } from '../webviewPage.ts';
import type { CaseTour } from './caseTour.ts';
import { ImageDocument } from './imageDocument.ts';
import { ImageMemory } from './imageMemory.ts';
import type { MakeReader } from './imageReader.ts';
import { removeLeftovers } from './leftovers.ts';
import { ViewerSession } from './viewerSession.ts';

/** What it shows of a file arrives by messages, and becomes text and pixels, never markup. */
export const viewerFrame = { title: l10n.t('UniMiSS Viewer'), pictures: false } as const;

/** The viewer: an editor for images that only reads them. It needs neither daemon nor engine, and no trust in the workspace. */
export class ViewerEditors implements CustomReadonlyEditorProvider<ImageDocument> {
  private readonly sessions = new Set<ViewerSession>();
  private readonly memory: ImageMemory;
  private assets: PageAssets | undefined;
  /** Cases that are to be shown, by the address of their image, whose editors are not there yet. */
  private readonly awaited = new Map<string, CaseTour>();

  constructor(
    private readonly context: ExtensionContext,
    private readonly makeReader: MakeReader,
    private readonly failed: (error: unknown) => void,
  ) {
    this.memory = new ImageMemory(context);
  }

  openCustomDocument(uri: Uri): ImageDocument {
    return new ImageDocument(
      uri,
      this.makeReader,
      Uri.joinPath(this.context.globalStorageUri, 'images').fsPath,
      this.memory.get(uri)?.volume,
    );
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
      (tour, column) => this.openCase(tour, column),
      () => {
        this.sessions.delete(session);
        this.tellContext();
        if (this.sessions.size === 0) removeLeftovers(this.context.globalStorageUri.fsPath).catch(this.failed);
      },
    );
    this.sessions.add(session);
    this.tellContext();
    panel.webview.html = webviewPage(this.assets, viewerFrame);
    const tour = this.awaited.get(document.uri.toString());
    this.awaited.delete(document.uri.toString());
    if (tour) session.showCase(tour).catch(this.failed);
  }

  /** Opens the image of a case with its reference and prediction, at the slice with the most errors. */
  async openCase(tour: CaseTour, viewColumn: ViewColumn = ViewColumn.Beside): Promise<void> {
    if (!tour.current) return;
    const uri = uriOf(tour.current.image);
    const name = uri.toString();
    this.awaited.set(name, tour);
    await commands.executeCommand('vscode.openWith', uri, viewerTypes.others, { viewColumn, preview: true });
    // An editor that was there already does not come again.
    const session = this.of(uri);
    if (session && this.awaited.delete(name)) await session.showCase(tour);
  }

  /** Labels that grow over an image that is open: see `ImageDocument.grow`. */
  async grow(image: Uri, path: string | undefined): Promise<void> {
    await this.of(image)?.document.grow(path);
  }

  /** An editor of the image, if there is one. */
  of(image: Uri): ViewerSession | undefined {
    return [...this.sessions].find(({ document }) => document.uri.toString() === image.toString());
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
    throw new UnimissError('data', l10n.t('no image is open'), {
      remedy: l10n.t('Open an image in the UniMiSS Viewer first.'),
    });
  }
}
