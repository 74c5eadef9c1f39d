import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import type { StoredGrid } from '../daemon/data/formats/storedVolume.ts';
import { UnimissError } from '../protocol/errors.ts';
import { planeAxes } from '../protocol/viewer/geometry.ts';
import type { HeaderView } from '../protocol/viewer/header.ts';
import type { LayerInfo } from '../protocol/viewer/layers.ts';
import type { OpenedImage, Reading } from '../protocol/viewer/page.ts';
import type { PlanePiece, PlaneRequest, ValueRange } from '../protocol/viewer/planes.ts';
import type { CoarseCache } from './coarseCache.ts';
import { coarseNifti } from './coarseNifti.ts';
import { type CutPlane, cutPlane, lastVoxel, planeWalk } from './cutPlane.ts';
import { findOverlays } from './findOverlays.ts';
import { headerView } from './headerView.ts';
import { type ImageSource, isSettled, openLabels, openSource } from './imageSource.ts';
import { largestError } from './largestError.ts';
import { cutLayer, type Layer, makeLayer, makePictureLayer } from './layer.ts';
import type { LargestError } from './messages.ts';
import { valueRange } from './valueRange.ts';
import type { VoxelStore } from './voxelStore.ts';

const deflate = promisify(deflateRaw);

/** A layer, and whether the user added it. */
type AddedLayer = Layer & Pick<LayerInfo, 'added' | 'title'>;

/** An open image, from which planes are cut while it is still being read. */
export class OpenImage {
  private source: ImageSource | undefined;
  private waiting: (() => void)[] = [];
  private readonly closing = new AbortController();
  /** Overlays, from layer 1 on. */
  private readonly layers: (AddedLayer | undefined)[] = [];

  private constructor(
    private readonly path: string,
    private readonly moved: (reading: Reading) => void,
  ) {}

  /** @param moved called whenever more of the file has been read, and at the end. Throws UnimissError('data'). */
  static async open(
    path: string,
    volume: number,
    moved: (reading: Reading) => void,
    cache?: CoarseCache,
  ): Promise<OpenImage> {
    const image = new OpenImage(path, moved);
    const on = { moved: (reading: Reading) => image.progress(reading), signal: image.closing.signal };
    image.source = await openSource(path, volume, on, cache);
    return image;
  }

  /** Reads no further. */
  close(): void {
    this.closing.abort();
  }

  get opened(): OpenedImage {
    return this.present.opened;
  }

  /** A plane as it is now, compressed. @throws UnimissError('internal') where its number is too large */
  async plane({ plane, index, nearest, layer = 0 }: PlaneRequest): Promise<PlanePiece> {
    const source = this.present;
    const overlay = layer > 0 ? this.layers[layer - 1] : undefined;
    if (layer > 0 && !overlay) throw new UnimissError('internal', `the image has no layer ${layer}`);
    const { geometry } = source.opened;
    const count = geometry.shape[planeAxes[plane].through];
    if (index >= count) throw new UnimissError('internal', `the image has ${count} ${plane} planes, not ${index + 1}`);
    if (source.kind === 'picture' && plane !== 'axial') throw new UnimissError('internal', 'a picture has one plane');
    const pieceOf = async ({ numbers, complete, ...rest }: CutPlane, at: number): Promise<PlanePiece> => {
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      const settled = complete || isSettled(source);
      return { layer, plane, index: at, ...rest, complete: settled, deflated: await deflate(bytes, { level: 1 }) };
    };
    if (overlay) return pieceOf(cutLayer(overlay, geometry, plane, index), index);
    if (source.kind === 'picture') {
      const [, height, width] = geometry.shape;
      const deflated = await deflate(source.rgb, { level: 1 });
      return { layer, plane, index, width, height, kind: 'rgb', slope: 1, intercept: 0, complete: true, deflated };
    }
    const chosen = nearest ? await this.nearest({ plane, index }) : index;
    return pieceOf(cutPlane(source.store, planeWalk(geometry, source.store.size, plane, chosen)), chosen);
  }

  /** Between which values the image is shown at first, from its middle; waits until that has been read, or no more can be. */
  async range(): Promise<ValueRange> {
    const source = this.present;
    if (source.kind === 'picture') return { low: 0, high: 255, ct: false };
    if (source.store.coarse) return source.store.coarse.range;
    const { geometry } = source.opened;
    const walk = planeWalk(geometry, source.store.size, 'axial', Math.floor(geometry.shape[0] / 2));
    await this.until(() => lastVoxel(walk) < source.store.available);
    return valueRange(this.middle(source, walk));
  }

  /** Paths of label maps that belong to the image, by their names. */
  async findOverlays(): Promise<readonly string[]> {
    const own = await findOverlays(this.path);
    // Of a series, the folder has the image's name.
    const folder = this.opened.format === 'dicom' ? await findOverlays(dirname(this.path)) : [];
    return [...new Set([...own, ...folder])];
  }

  /** What the header says. Throws UnimissError('data'). */
  header(revealed: boolean): Promise<HeaderView> {
    return headerView(this.path, revealed);
  }

  /** The image's own labels, where it is a label map; waits until it has been read. */
  async ownLabels(): Promise<LayerInfo | undefined> {
    const source = this.present;
    if (source.kind === 'picture') return undefined;
    await this.until(() => false);
    const { geometry } = source.opened;
    const layer = await makeLayer(this.path, geometry, { ...source, geometry });
    return layer.content.kind === 'labels' && layer.content.labels.length > 0
      ? infoOf({ ...layer, added: false }, 0)
      : undefined;
  }

  /** Reads another image, which is drawn over this one. @throws UnimissError('data') */
  async addLayer(
    path: string,
    added: boolean,
    { title, values = false }: { readonly title?: string | undefined; readonly values?: boolean | undefined } = {},
  ): Promise<LayerInfo> {
    const known = this.layers.findIndex((layer) => layer?.path === path);
    const there = this.layers[known];
    if (there) return infoOf(there, known + 1);
    const layer = { ...(await this.readLayer(path, values)), added, title };
    this.layers.push(layer);
    return infoOf(layer, this.layers.length);
  }

  /** Reads a layer again whose file has changed. @throws UnimissError('data'), and keeps what was read before */
  async reloadLayer(number: number): Promise<LayerInfo> {
    const before = this.layers[number - 1];
    if (!before) throw new UnimissError('internal', `the image has no layer ${number}`);
    const { path, added, title } = before;
    const layer = { ...(await this.readLayer(path)), added, title };
    // It may have been taken away meanwhile.
    if (this.layers[number - 1] === before) this.layers[number - 1] = layer;
    return infoOf(layer, number);
  }

  private async readLayer(path: string, values = false): Promise<Layer> {
    const base = this.present;
    const { geometry } = base.opened;
    return base.kind === 'picture'
      ? makePictureLayer(path, geometry, values)
      : makeLayer(path, geometry, await openLabels(path, base.grid), values);
  }

  /** Few voxels of the whole image or of a layer, as NIfTI; waits until it has been read. */
  async coarseNifti(layer: number): Promise<Uint8Array> {
    await this.until(() => false);
    const source: { grid?: StoredGrid; store?: VoxelStore } =
      layer > 0 ? (this.layers[layer - 1] ?? {}) : this.present.kind === 'volume' ? this.present : {};
    if (!source.grid || !source.store) throw new UnimissError('internal', 'a picture or a missing layer has no volume');
    return coarseNifti(source.grid, source.store);
  }

  /** The slice in which two layers differ most. */
  largestError(of: { readonly reference: number; readonly prediction: number }): LargestError | undefined {
    const [reference, prediction] = [this.layers[of.reference - 1], this.layers[of.prediction - 1]];
    if (!reference || !prediction) throw new UnimissError('internal', 'a layer that is compared is not there');
    return largestError(this.present.opened.geometry, reference, prediction);
  }

  /** Bytes that the voxels of the image and of its layers take. */
  get bytes(): number {
    const source = this.present;
    const own = source.kind === 'picture' ? source.rgb.byteLength : source.store.voxels.byteLength;
    return this.layers.reduce((sum, layer) => sum + (layer?.store.voxels.byteLength ?? 0), own);
  }

  /** Forgets a layer. Its number is not used again. */
  removeLayer(layer: number): null {
    if (layer > 0 && layer <= this.layers.length) this.layers[layer - 1] = undefined;
    return null;
  }

  /** The middle plane; of a file that ends before it, the last plane that is whole. */
  private middle(source: ImageSource & { kind: 'volume' }, walk: ReturnType<typeof planeWalk>): CutPlane {
    const { store, opened } = source;
    if (lastVoxel(walk) < store.available) return cutPlane(store, walk);
    const voxels = store.voxels.subarray(0, Math.max(1, store.available)) as typeof store.voxels;
    const line = { width: Math.min(voxels.length, 2 ** 18), height: 1, start: 0, acrossStep: 1, downStep: 0 };
    return cutPlane({ ...store, voxels, size: opened.geometry.shape }, line);
  }

  /** Of the planes that are there the nearest one; waits for the first. Along axes that lie across the file, all are there at its end. */
  private async nearest({ plane, index }: PlaneRequest): Promise<number> {
    const source = this.present;
    if (source.kind === 'picture' || source.store.coarse) return index;
    const { geometry } = source.opened;
    const through = planeAxes[plane].through;
    const { axis, reversed } = geometry.stored[through] ?? { axis: 0, reversed: false };
    if (axis !== 2) return index;
    const [i, j, k] = source.store.size;
    await this.until(() => source.store.available >= i * j);
    const there = Math.floor(source.store.available / (i * j));
    const wanted = reversed ? k - 1 - index : index;
    const chosen = Math.max(0, Math.min(wanted, there - 1));
    return reversed ? k - 1 - chosen : chosen;
  }

  private get present(): ImageSource {
    if (!this.source) throw new UnimissError('internal', 'no image is open');
    return this.source;
  }

  private async until(there: () => boolean): Promise<void> {
    while (!there() && !isSettled(this.present)) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private progress(reading: Reading): void {
    if (!this.closing.signal.aborted) this.moved(reading);
    for (const wake of this.waiting.splice(0)) wake();
  }
}

function infoOf({ path, name, title, added, content, notices }: AddedLayer, layer: number): LayerInfo {
  return { layer, path, name, title, added, content, notices };
}
