import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isSegmentation, readDicomHeader } from '../daemon/data/formats/dicom/dicomHeader.ts';
import { inspectDicom } from '../daemon/data/formats/dicom/dicomVolume.ts';
import { decodeSegmentation } from '../daemon/data/formats/dicom/segmentation.ts';
import { decodeVolume, readImage, sniffFile } from '../daemon/data/formats/image.ts';
import type { Decoded, StoredGrid } from '../daemon/data/formats/storedVolume.ts';
import { toErrorData } from '../protocol/daemon/wireError.ts';
import type { ImageGeometry } from '../protocol/viewer/geometry.ts';
import type { OpenedImage, Reading } from '../protocol/viewer/page.ts';
import type { CoarseCache } from './coarseCache.ts';
import { coarseCopyOf } from './coarseCopy.ts';
import { type CutPlane, cutPlane, planeWalk } from './cutPlane.ts';
import { geometryOf, pictureGeometry } from './geometry.ts';
import { emptyStore, openNiftiStream } from './readNiftiStream.ts';
import { valueRange } from './valueRange.ts';
import { isComplete, type VoxelStore } from './voxelStore.ts';

/** An image that is open: its voxels are there, or are being read. */
export type ImageSource =
  | { readonly kind: 'picture'; readonly opened: OpenedImage; readonly rgb: Uint8Array }
  | { readonly kind: 'volume'; readonly opened: OpenedImage; readonly grid: StoredGrid; readonly store: VoxelStore };

/** Compressed images with fewer bytes are read in less time than a copy of them. */
const slowBytes = 2 ** 25;

/**
 * Opens a file of any supported format, by its content, or a folder with a DICOM series. A NIfTI file is read while it is shown already.
 * @param cache keeps coarse copies of images that take long to read
 * @param moved called whenever more of it has been read, and at the end; `signal` ends reading
 * @throws UnimissError('data') where nothing of it can be shown
 */
export async function openSource(
  path: string,
  volume: number,
  { moved, signal }: { readonly moved: (reading: Reading) => void; readonly signal: AbortSignal },
  cache?: CoarseCache,
): Promise<ImageSource> {
  const { format } = await sniffFile(path);
  if (format === 'png' || format === 'jpeg') return picture(path, format);
  if (format === 'dicom') {
    if (await isSegmentationFile(path)) return whole(path, await decodeSegmentation(path), 0, moved);
    if ((await inspectDicom(path, { volume: undefined })).kind === '2D') return picture(path, format);
  }
  if (format !== 'nifti' && format !== 'gz') return whole(path, await decodeVolume(path, {}), 0, moved);

  const { header, grid, fill } = await openNiftiStream(path, volume);
  const store = emptyStore(header);
  const { volumes, orientationNotice } = header;
  const opened = describe(path, grid, geometryOf(grid, header.spacingKnown), { volumes, volume }, [orientationNotice]);
  const source: ImageSource = { kind: 'volume', opened, grid, store };
  const slow = format === 'gz' && header.dataBytes >= slowBytes;
  const known = slow ? await cache?.find(path, volume, store) : undefined;
  store.coarse = known;
  void fill(store, () => moved(readingOf(store)), signal).then(async () => {
    // Where the file is damaged, what an earlier one said would look like its own.
    store.coarse = undefined;
    moved(readingOf(store));
    if (slow && !known && cache && isComplete(store))
      await cache.keep(path, volume, coarseCopyOf(store, valueRange(middlePlane(source))));
  });
  return source;
}

/** The axial plane in the middle. */
function middlePlane({ opened: { geometry }, store }: ImageSource & { kind: 'volume' }): CutPlane {
  return cutPlane(store, planeWalk(geometry, store.size, 'axial', Math.floor(geometry.shape[0] / 2)));
}

function readingOf({ available, voxels, failure }: VoxelStore): Reading {
  return { share: available / voxels.length, ...(failure && { failed: toErrorData(failure) }) };
}

async function isSegmentationFile(path: string): Promise<boolean> {
  if ((await stat(path)).isDirectory()) return false;
  const header = await readDicomHeader(path);
  return header !== undefined && isSegmentation(header);
}

/** A volume that a reader gives in one piece. */
function whole(path: string, decoded: Decoded, volume: number, moved: (reading: Reading) => void): ImageSource {
  const { grid, voxels, scaling, orientationNotice, notices = [], leftOut = [] } = decoded;
  const left = leftOut.map(({ path: file, why }) => `leaves out ${basename(file)}, which ${why}`);
  const geometry = geometryOf(grid, decoded.spacingKnown);
  const about = [orientationNotice, ...notices, ...left];
  const opened = describe(path, grid, geometry, { volumes: 1, volume }, about);
  const store = { size: grid.size, voxels, scaling, available: voxels.length, failure: undefined };
  moved({ share: 1 });
  return { kind: 'volume', opened, grid, store };
}

function describe(
  path: string,
  { format, type }: Pick<StoredGrid, 'type'> & { format: string },
  geometry: ImageGeometry,
  { volumes, volume }: Pick<OpenedImage, 'volumes' | 'volume'>,
  notices: readonly (string | undefined)[],
): OpenedImage {
  const said = notices.filter((notice) => notice !== undefined);
  return { name: basename(path), kind: 'volume', format, type, geometry, volumes, volume, notices: said };
}

async function picture(path: string, format: string): Promise<ImageSource> {
  const { width, height, data } = await readImage(path);
  const geometry = pictureGeometry(width, height);
  const about = describe(path, { format, type: 'uint8' }, geometry, { volumes: 1, volume: 0 }, []);
  return { kind: 'picture', opened: { ...about, kind: 'picture' }, rgb: data };
}

/** Whether nothing more will be read. */
export function isSettled(source: ImageSource): boolean {
  return source.kind === 'picture' || isComplete(source.store) || source.store.failure !== undefined;
}

/**
 * Reads the whole of a volume that is drawn over another one.
 * @param into the grid of the image: a DICOM segmentation leaves out slices without a label, which come back in it
 * @throws UnimissError('data') naming file and reason
 */
export async function openLabels(path: string, into: StoredGrid) {
  const segmentation = (await sniffFile(path)).format === 'dicom' && (await isSegmentationFile(path));
  const decoded = segmentation
    ? // A segmentation of another image is shown where it lies.
      await decodeSegmentation(path, into).catch(() => decodeSegmentation(path))
    : await decodeVolume(path, {});
  const { grid, voxels, scaling } = decoded;
  const store: VoxelStore = { size: grid.size, voxels, scaling, available: voxels.length, failure: undefined };
  return { grid, store, geometry: geometryOf(grid, decoded.spacingKnown) };
}
