import { homedir } from 'node:os';
import { basename, dirname, extname, posix } from 'node:path';
import {
  commands,
  type Disposable,
  EventEmitter,
  l10n,
  Uri,
  type ViewColumn,
  type WebviewPanel,
  window,
  workspace,
} from 'vscode';
import { toErrorData } from '../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { addressOf, parseAddress } from '../../protocol/machines/address.ts';
import { lookKey } from '../../protocol/viewer/displayNames.ts';
import type { LayerInfo, LayerLook } from '../../protocol/viewer/layers.ts';
import {
  type SeenViews,
  type SimilarImages,
  type ViewerMessage,
  type ViewerRequest,
  viewerRequest,
} from '../../protocol/viewer/page.ts';
import type { ImageSettings } from '../../protocol/viewer/settings.ts';
import { machineScheme } from '../machines/machineScheme.ts';
import { addressOfUri, uriOf } from '../machines/machineUri.ts';
import { notify } from '../notify.ts';
import { type CaseTour, shownCase } from './caseTour.ts';
import { addDropped } from './droppedFiles.ts';
import type { ImageDocument } from './imageDocument.ts';
import type { ImageMemory } from './imageMemory.ts';
import { readOptions, setConvention } from './viewerOptions.ts';

/** One editor: passes the page's checked requests to the image's thread, and pieces of the image to the page. */
export class ViewerSession implements Disposable {
  private readonly looksChanged = new EventEmitter<void>();
  private readonly subscriptions: Disposable[];
  /** What `lookOf` tells may have changed. */
  readonly onDidChangeLooks = this.looksChanged.event;
  private begun = false;
  private tour: CaseTour | undefined;
  /** Folder of the run whose views are shown. */
  private seenBy: string | undefined;
  private similar: SimilarImages['neighbours'] = [];

  constructor(
    private readonly panel: WebviewPanel,
    readonly document: ImageDocument,
    private readonly memory: ImageMemory,
    private readonly failed: (error: unknown) => void,
    private readonly others: () => readonly ViewerSession[],
    private readonly openCase: (tour: CaseTour, column: ViewColumn | undefined) => Promise<void>,
    closed: () => void,
  ) {
    this.subscriptions = [
      panel.webview.onDidReceiveMessage((message: unknown) => this.receive(message)),
      document.onDidRead((reading) => this.post({ type: 'reading', reading })),
      document.onDidAddLayer((layer) => this.post({ type: 'layer', layer })),
      document.onDidReopen(() => void this.show().catch(failed)),
      document.onDidRemoveLayer((layer) => this.post({ type: 'layerRemoved', layer })),
      document.onDidFailLayer(({ path, error }) =>
        this.post({ type: 'layerFailed', name: basename(path), error: toErrorData(error) }),
      ),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('unimiss.viewer')) this.post({ type: 'options', options: readOptions() });
      }),
      workspace.onDidGrantWorkspaceTrust(() => this.post({ type: 'options', options: readOptions() })),
      panel.onDidDispose(() => {
        this.dispose();
        closed();
      }),
    ];
  }

  get active(): boolean {
    return this.panel.active;
  }

  get visible(): boolean {
    return this.panel.visible;
  }

  reveal(): void {
    this.panel.reveal();
  }

  /** How the page shows a layer; undefined: as at first. */
  lookOf(layer: LayerInfo): LayerLook | undefined {
    return this.memory.get(this.document.uri)?.looks[lookKey(layer)];
  }

  /** Shows a case of an evaluation, now or when the page is there. */
  async showCase(tour: CaseTour): Promise<void> {
    this.tour = tour;
    if (this.begun) this.post({ type: 'case', case: await shownCase(this.document, tour) });
  }

  /** @param folder of the run, for the next draw */
  showViews(seen: SeenViews, folder: string): void {
    this.seenBy = folder;
    this.post({ type: 'seen', seen });
  }

  showSimilar(similar: SimilarImages): void {
    this.similar = similar.neighbours;
    this.post({ type: 'similar', similar });
  }

  /** Asks for a label map and draws it over the image. */
  async chooseOverlay(): Promise<void> {
    const { uri } = this.document;
    if (uri.scheme === machineScheme) {
      const path = await window.showInputBox({
        title: l10n.t('Add Overlay to {0}', this.document.name),
        prompt: l10n.t('Path of a label map or probability map on {0}', uri.authority),
        value: `${posix.dirname(uri.path)}/`,
        valueSelection: [10_000, 10_000],
        ignoreFocusOut: true,
      });
      if (path) await this.document.addLayer(path);
      return;
    }
    const picked = await window.showOpenDialog({
      title: l10n.t('Add Overlay to {0}', this.document.name),
      openLabel: l10n.t('Add Overlay'),
      defaultUri: Uri.file(dirname(this.document.uri.fsPath)),
    });
    for (const uri of picked ?? []) await this.document.addLayer(uri.fsPath);
  }

  dispose(): void {
    for (const one of [...this.subscriptions, this.looksChanged]) one.dispose();
  }

  private receive(input: unknown): void {
    const checked = viewerRequest.safeParse(input);
    if (checked.success) {
      this.answer(checked.data).catch(this.failed);
      return;
    }
    const why = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    this.failed(
      new UnimissError('internal', l10n.t("the viewer's page sent a message that is not declared ({0})", why)),
    );
  }

  private async answer(request: ViewerRequest): Promise<void> {
    switch (request.type) {
      case 'ready':
        return this.begin();
      case 'plane': {
        const { type, volume, ...wanted } = request;
        this.post({ type, volume, piece: await this.document.ask('plane', wanted) });
        return;
      }
      case 'header':
        this.post({ type: 'header', header: await this.document.ask('header', { revealed: request.revealed }) });
        return;
      case 'moved':
        for (const other of this.others())
          if (other !== this && other.visible) other.post({ type: 'goTo', millimeters: request.millimeters });
        return;
      case 'settings':
        return this.remember(request.settings);
      case 'convention':
        return setConvention(request.convention);
      case 'addOverlay':
        return this.chooseOverlay();
      case 'dropped':
        return addDropped(this.document, request.uris);
      case 'volume':
        return this.document.choose(request.volume);
      case 'volume3D':
        return commands.executeCommand('unimiss.show3D', this.document.uri);
      case 'predict':
        // A command's own condition holds for menus only.
        if (workspace.isTrusted) await commands.executeCommand('unimiss.predict', this.document.uri);
        return;
      case 'seen':
        if (workspace.isTrusted)
          await commands.executeCommand(
            'unimiss.showViews',
            this,
            request.epoch === undefined ? undefined : { folder: this.seenBy, epoch: request.epoch },
          );
        return;
      case 'attention':
      case 'similar':
        if (workspace.isTrusted && this.seenBy !== undefined)
          await commands.executeCommand(`unimiss.${request.type}OfImage`, this, { folder: this.seenBy });
        return;
      case 'openSimilar': {
        const found = this.similar[request.index];
        const { machine } = parseAddress(addressOfUri(this.document.uri));
        if (found) await commands.executeCommand('unimiss.openViewer', uriOf(addressOf(machine, found.image)));
        return;
      }
      case 'nextCase': {
        const next = this.tour?.step(request.by);
        return next && this.openCase(next, this.panel.viewColumn);
      }
      case 'removeLayer':
        return this.document.removeLayer(request.layer);
      case 'screenshot':
        return this.save(request.png);
    }
  }

  /** Of the overlays that the page names, only those are opened again that the user has added: a page alone must not open files. */
  private async remember(settings: ImageSettings): Promise<void> {
    const added = new Set(this.document.layers.filter((layer) => layer.added).map(({ path }) => path));
    await this.memory.set(this.document.uri, { ...settings, added: settings.added.filter((path) => added.has(path)) });
    this.looksChanged.fire();
  }

  /** All that a page needs which has just been loaded: also one that was hidden, and forgot everything. */
  private async begin(): Promise<void> {
    const { document } = this;
    const settings = this.memory.get(document.uri);
    this.post({ type: 'options', options: readOptions() });
    this.post({ type: 'settings', settings });
    if (!(await this.show())) return;
    await document.lookForLayers();
    for (const path of settings?.added ?? []) await document.addLayer(path);
    this.begun = true;
    if (this.tour) await this.showCase(this.tour);
  }

  /** The image and what is drawn over it. @returns whether there is anything to show */
  private async show(): Promise<boolean> {
    const { document } = this;
    try {
      this.post({ type: 'opened', image: await document.opened });
      this.post({ type: 'reading', reading: document.reading });
      for (const layer of document.layers) this.post({ type: 'layer', layer });
      this.post({ type: 'range', range: await document.range });
      return true;
    } catch (error) {
      if (!(error instanceof UnimissError)) throw error;
      this.post({ type: 'failed', name: document.name, error: toErrorData(error) });
      return false;
    }
  }

  private async save(png: Uint8Array): Promise<void> {
    const { scheme, fsPath, path } = this.document.uri;
    const name = basename(path).replace(/\.gz$/i, '');
    const file = `${name.slice(0, name.length - extname(name).length)}.png`;
    const target = await window.showSaveDialog({
      title: l10n.t('Save Picture'),
      defaultUri: Uri.joinPath(Uri.file(scheme === machineScheme ? homedir() : dirname(fsPath)), file),
      filters: { PNG: ['png'] },
    });
    if (!target) return;
    await workspace.fs.writeFile(target, png);
    const open = l10n.t('Open Picture');
    const answer = await notify('info', l10n.t('{0} is saved.', basename(target.path)), open);
    if (answer === open) await commands.executeCommand('vscode.open', target);
  }

  private post(message: ViewerMessage): void {
    void this.panel.webview.postMessage(message);
  }
}
