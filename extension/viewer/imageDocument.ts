import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { type CustomDocument, EventEmitter, l10n, type Uri } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import type { LayerInfo } from '../../protocol/viewer/layers.ts';
import type { OpenedImage, Reading } from '../../protocol/viewer/page.ts';
import type { ValueRange } from '../../protocol/viewer/planes.ts';
import type { ImageReader, MakeReader } from './imageReader.ts';

/** An image that is open in one or more editors. What reads it lives as long as it does. */
export class ImageDocument implements CustomDocument {
  private readonly news = new EventEmitter<Reading>();
  private readonly reader: ImageReader | undefined;
  /** More of the file has been read. */
  readonly onDidRead = this.news.event;
  opened: Promise<OpenedImage>;
  range: Promise<ValueRange>;
  reading: Reading = { share: 0 };
  private readonly layerNews = new EventEmitter<LayerInfo>();
  readonly onDidAddLayer = this.layerNews.event;
  readonly layers: LayerInfo[] = [];
  private readonly removals = new EventEmitter<number>();
  readonly onDidRemoveLayer = this.removals.event;
  private readonly reopenings = new EventEmitter<void>();
  /** Another volume of the file is shown, with the layers that were there. */
  readonly onDidReopen = this.reopenings.event;
  private readonly layerFailures = new EventEmitter<{ path: string; error: unknown }>();
  readonly onDidFailLayer = this.layerFailures.event;
  private looked: Promise<void> | undefined;
  /** The layer that grows. */
  private growing: number | undefined;

  constructor(
    readonly uri: Uri,
    makeReader: MakeReader,
    private readonly cache: string,
    /** The volume that was shown last, of a file with several. */
    volume = 0,
  ) {
    this.reader = makeReader(uri, (reading) => {
      this.reading = reading;
      this.news.fire(reading);
    });
    this.opened = this.openFirst(volume);
    this.range = this.rangeOf(this.opened);
  }

  /** The values to show first. Whoever shows the image shows why it cannot be read; it may be closed before anybody does. */
  private rangeOf(opened: Promise<OpenedImage>): Promise<ValueRange> {
    const range = opened.then(() => this.ask('range', null));
    for (const promise of [opened, range]) promise.catch(() => {});
    return range;
  }

  /** Opens the volume; the first one if the file has fewer by now. */
  private async openFirst(volume: number): Promise<OpenedImage> {
    const open = (one: number) => this.ask('open', { path: this.uri.fsPath, volume: one, cache: this.cache });
    if (volume === 0) return open(0);
    return open(volume).catch(() => open(0));
  }

  /** Shows another volume of a file with several. @param volume from 0 */
  async choose(volume: number): Promise<void> {
    const { volumes, volume: shown } = await this.opened;
    if (volume >= volumes || volume === shown) return;
    const layers = this.layers.splice(0).filter(({ layer }) => layer > 0 && layer !== this.growing);
    this.growing = undefined;
    this.reading = { share: 0 };
    this.opened = this.ask('open', { path: this.uri.fsPath, volume, cache: this.cache });
    this.range = this.rangeOf(this.opened);
    this.reopenings.fire();
    for (const { path, added, title } of layers.filter((layer) => this.uri.scheme !== 'file' || existsSync(layer.path)))
      await this.addLayer(path, { added, ...(title !== undefined && { title }) });
  }

  get name(): string {
    return basename(this.uri.path);
  }

  /** Adds the image's own labels, or what lies beside it and fits by its name; once, when the image has been read. */
  lookForLayers(): Promise<void> {
    this.looked ??= this.look();
    return this.looked;
  }

  private async look(): Promise<void> {
    await this.opened;
    const own = await this.ask('ownLabels', null);
    if (own) this.keep(own);
    else for (const path of await this.ask('findOverlays', null)) await this.addLayer(path, { added: false });
  }

  /** Draws another image over this one, for all editors of it. One that cannot be drawn is reported by `onDidFailLayer`. */
  async addLayer(
    path: string,
    { added = true, title, values }: { added?: boolean; title?: string; values?: boolean } = {},
  ): Promise<LayerInfo | undefined> {
    try {
      const layer = await this.ask('addLayer', { path, added, title, values });
      this.keep(layer);
      return layer;
    } catch (error) {
      this.layerFailures.fire({ path, error });
      return undefined;
    }
  }

  /**
   * Shows labels that grow: of a file that is being written, again and again; undefined: it is complete, and what was shown of it goes.
   * A file that cannot be read yet shows nothing.
   */
  async grow(path: string | undefined): Promise<void> {
    const { growing } = this;
    if (path === undefined) {
      this.growing = undefined;
      if (growing !== undefined) await this.removeLayer(growing);
      return;
    }
    if (growing === undefined) {
      const layer = await this.ask('addLayer', {
        path,
        added: false,
        title: l10n.t('prediction, not complete yet'),
      }).catch(() => undefined);
      if (!layer) return;
      this.growing = layer.layer;
      this.keep(layer);
      return;
    }
    // The file may be gone, or half written: what was read before stays.
    const layer = await this.ask('reloadLayer', { layer: growing }).catch(() => undefined);
    const at = this.layers.findIndex((one) => one.layer === growing);
    if (!layer || at < 0) return; // taken away meanwhile
    this.layers[at] = layer;
    this.layerNews.fire(layer);
  }

  /** Takes a layer away, in all editors of the image. */
  async removeLayer(layer: number): Promise<void> {
    const at = this.layers.findIndex((one) => one.layer === layer);
    if (at < 0 || layer === 0) return;
    this.layers.splice(at, 1);
    this.removals.fire(layer);
    await this.ask('removeLayer', { layer });
  }

  private keep(layer: LayerInfo): void {
    if (this.layers.some((one) => one.layer === layer.layer)) return;
    this.layers.push(layer);
    this.layerNews.fire(layer);
  }

  ask: ImageReader['ask'] = (task, given) => this.reader?.ask(task, given) ?? Promise.reject(notHere(this.uri));

  dispose(): void {
    this.reader?.dispose();
    for (const one of [this.news, this.layerNews, this.removals, this.reopenings, this.layerFailures]) one.dispose();
  }
}

function notHere(uri: Uri): UnimissError {
  return new UnimissError('data', l10n.t('is not a file on the disk of this machine ({0})', uri.scheme), {
    place: basename(uri.path),
    remedy: l10n.t('Copy it to a folder of the workspace.'),
  });
}
