import { type Disposable, l10n, Uri, ViewColumn, type WebviewPanel, window } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import type { LayerInfo, LayerLook } from '../../protocol/viewer/layers.ts';
import type { VolumeMessage } from '../../protocol/viewer/volume.ts';
import { volumeRequest } from '../../protocol/viewer/volume.ts';
import { type PageAssets, readPageAssets, webviewPage } from '../webviewPage.ts';
import type { ImageDocument } from './imageDocument.ts';
import { volumeFrame } from './volumeFrame.ts';

/** Volumes in 3D, each in a panel beside its image. Few of their voxels travel; the planes of the viewer need none of this. */
export class VolumePanels implements Disposable {
  private readonly open = new Map<string, WebviewPanel>();
  private assets: PageAssets | undefined;

  constructor(
    private readonly extensionUri: Uri,
    private readonly failed: (error: unknown) => void,
  ) {}

  /**
   * @param lookOf how the image's planes show a layer when the panel opens; undefined: as at first
   * @throws UnimissError 'data' for a picture
   */
  async show(document: ImageDocument, lookOf: LookOf): Promise<void> {
    const { kind } = await document.opened;
    if (kind === 'picture')
      throw new UnimissError('data', l10n.t('is a picture, which has no third dimension'), { place: document.name });
    const key = document.uri.toString();
    const known = this.open.get(key);
    if (known) {
      known.reveal();
      return;
    }
    this.assets ??= readPageAssets(Uri.joinPath(this.extensionUri, 'dist', 'webviews').fsPath, 'volume');
    const panel = window.createWebviewPanel('unimiss.volume', `3D: ${document.name}`, ViewColumn.Beside);
    this.open.set(key, panel);
    panel.webview.options = { enableScripts: true, localResourceRoots: [] };
    panel.webview.onDidReceiveMessage((message: unknown) => {
      if (!volumeRequest.safeParse(message).success)
        this.failed(new UnimissError('internal', l10n.t("the 3D view's page sent a message that is not declared")));
      else
        volumeOf(document, lookOf)
          .then((volume) => panel.webview.postMessage(volume))
          .catch(this.failed);
    });
    panel.onDidDispose(() => this.open.delete(key));
    panel.webview.html = webviewPage(this.assets, volumeFrame);
  }

  dispose(): void {
    for (const panel of this.open.values()) panel.dispose();
  }
}

type LookOf = (layer: LayerInfo) => LayerLook | undefined;

/** What the page draws: the image, and the labels that are on in the first label map that is. */
async function volumeOf(document: ImageDocument, lookOf: LookOf): Promise<VolumeMessage> {
  const { low, high, ct } = await document.range;
  const labels = document.layers.find((one) => one.content.kind === 'labels' && lookOf(one)?.visible !== false);
  const off = labels && lookOf(labels)?.hidden;
  const image = await document.ask('coarseNifti', { layer: 0 });
  const list = labels?.content.kind === 'labels' ? labels.content.labels : [];
  const own = labels && labels.layer > 0 ? await document.ask('coarseNifti', { layer: labels.layer }) : undefined;
  return {
    ...{ type: 'volume', name: document.name, image, low, high, ct },
    labels: own && { file: own, list: list.map(({ value, name }) => ({ value, name, shown: !off?.includes(value) })) },
  };
}
