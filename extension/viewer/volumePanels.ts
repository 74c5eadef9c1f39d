import { isDeepStrictEqual } from 'node:util';
import { type Disposable, type Event, l10n, Uri, ViewColumn, type WebviewPanel, window } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import type { LayerInfo, LayerLook } from '../../protocol/viewer/layers.ts';
import type { DrawnLabel, VolumeLabelsMessage, VolumeMessage } from '../../protocol/viewer/volume.ts';
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
   * @param looks of the image's planes, which the panel follows: of the label map that it draws, the first that is on when it opens
   * @throws UnimissError 'data' for a picture
   */
  async show(document: ImageDocument, looks: Looks): Promise<void> {
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
    let drawn: { readonly layer: LayerInfo; readonly list: readonly DrawnLabel[] } | undefined;
    panel.webview.onDidReceiveMessage((message: unknown) => {
      if (!volumeRequest.safeParse(message).success)
        this.failed(new UnimissError('internal', l10n.t("the 3D view's page sent a message that is not declared")));
      else
        volumeOf(document, looks)
          .then(({ layer, message }) => {
            drawn = layer && { layer, list: message.labels?.list ?? [] };
            return panel.webview.postMessage(message);
          })
          .catch(this.failed);
    });
    const following = looks.onDidChangeLooks(() => {
      const list = drawn && listOf(drawn.layer, looks);
      if (!drawn || !list || isDeepStrictEqual(list, drawn.list)) return;
      drawn = { ...drawn, list };
      void panel.webview.postMessage({ type: 'labels', list } satisfies VolumeLabelsMessage);
    });
    panel.onDidDispose(() => {
      following.dispose();
      this.open.delete(key);
    });
    panel.webview.html = webviewPage(this.assets, volumeFrame);
  }

  dispose(): void {
    for (const panel of this.open.values()) panel.dispose();
  }
}

/** How the planes of an image show its layers. */
export interface Looks {
  /** undefined: as at first */
  lookOf(layer: LayerInfo): LayerLook | undefined;
  readonly onDidChangeLooks: Event<void>;
}

/** What the page draws: the image, and the labels that are on in the first label map that is. */
export async function volumeOf(
  document: Pick<ImageDocument, 'name' | 'range' | 'layers' | 'ask'>,
  looks: Pick<Looks, 'lookOf'>,
): Promise<{ readonly layer: LayerInfo | undefined; readonly message: VolumeMessage }> {
  const { low, high, ct } = await document.range;
  const first = document.layers.find((one) => one.content.kind === 'labels' && looks.lookOf(one)?.visible !== false);
  const layer = first && first.layer > 0 ? first : undefined;
  const image = await document.ask('coarseNifti', { layer: 0 });
  const file = layer && (await document.ask('coarseNifti', { layer: layer.layer }));
  return {
    layer,
    message: {
      ...{ type: 'volume', name: document.name, image, low, high, ct },
      labels: layer && file && { file, list: listOf(layer, looks) },
    },
  };
}

function listOf(layer: LayerInfo, looks: Pick<Looks, 'lookOf'>): DrawnLabel[] {
  const { visible = true, hidden = [] } = looks.lookOf(layer) ?? {};
  const labels = layer.content.kind === 'labels' ? layer.content.labels : [];
  return labels.map(({ value, name }) => ({ value, name, shown: visible && !hidden.includes(value) }));
}
