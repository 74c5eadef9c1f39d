import { stat } from 'node:fs/promises';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Image2D } from '../types.ts';
import { readEnds } from './bytes.ts';
import { dicomFilesIn } from './dicom/dicomFolder.ts';
import { isSegmentation, readDicomHeader } from './dicom/dicomHeader.ts';
import { decodeDicom, inspectDicom, readDicomPicture } from './dicom/dicomVolume.ts';
import { decodeSegmentation } from './dicom/segmentation.ts';
import { gunzipStart } from './gzip.ts';
import { imageError } from './imageError.ts';
import { inspectJpeg, readJpeg } from './jpeg.ts';
import { decodeNifti, gzipHeadBytes, inspectNifti, type ReadOptions, readNifti, readNiftiHeader } from './nifti.ts';
import { inspectPng, readPng } from './png.ts';
import { describeContent, type Format, hasNiftiHeader, sniffFormat } from './sniff.ts';
import {
  type Decoded,
  type StoredGrid,
  type StoredLabels,
  type StoredVolume,
  toLabels,
  toVolume,
} from './storedVolume.ts';
import { decodeTextVolume, inspectTextVolume } from './textVolume.ts';

/** The kind and size of an image, from its header. */
export type ImageInfo =
  | { readonly kind: '2D'; readonly format: 'png' | 'jpeg' | 'dicom'; readonly width: number; readonly height: number }
  | { readonly kind: '3D'; readonly format: StoredGrid['format']; readonly size: readonly [number, number, number] };

/** The first bytes of a file, and its format if it is a supported one; a folder with DICOM files counts as a file. */
export async function sniffFile(path: string): Promise<{ format: Format | undefined; head: Buffer; size: number }> {
  // A folder can only be a DICOM series.
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    if ((await dicomFilesIn(path)).length === 0) throw imageError(path, 'is a folder');
    return { format: 'dicom', head: Buffer.alloc(0), size: 1 };
  }
  const { head, size } = await readEnds(path, 256, 0);
  return { format: sniffFormat(head), head, size };
}

/**
 * Checks a file quickly before training: its format by its content (not its name), its size by its header,
 * and whether header and file length agree. Reads a few kB. Throws UnimissError('data') naming file and reason.
 * @param options `volume`: the wanted one of a file with several; without it, such a file is refused
 */
export async function inspectImage(path: string, options: ReadOptions = {}): Promise<ImageInfo> {
  const { format, head, size } = await sniffFile(path);
  if (size === 0) throw imageError(path, 'is empty (0 bytes)');
  switch (format) {
    case 'png': {
      const { width, height } = await inspectPng(path);
      return { kind: '2D', format, width, height };
    }
    case 'jpeg': {
      const { width, height } = await inspectJpeg(path);
      return { kind: '2D', format, width, height };
    }
    case 'nifti':
    case 'gz':
      return { kind: '3D', format: 'nifti', size: (await inspectNifti(path, options)).size };
    case 'nrrd':
    case 'metaimage':
      return { kind: '3D', format, size: (await inspectTextVolume(path, format, options)).grid.size };
    case 'dicom': {
      const info = await inspectDicom(path, options);
      if (info.kind === '3D') return { kind: '3D', format, size: info.size };
      return { kind: '2D', format, width: info.header.columns, height: info.header.rows };
    }
    default:
      throw unknownFormat(path, head);
  }
}

/** Checks labels as `inspectImage` does images; a DICOM segmentation belongs to a volume. Throws UnimissError('data'). */
export async function inspectLabels(path: string): Promise<Pick<ImageInfo, 'kind'>> {
  return (await segmentationFile(path)) === undefined ? inspectImage(path) : { kind: '3D' };
}

/**
 * Decides by content whether a file without an image's name is an image: returns 'image', or the reason why not. A gzip stream is
 * an image only with a NIfTI header inside.
 */
export async function isImage(path: string): Promise<string> {
  try {
    const { head } = await readEnds(path, gzipHeadBytes, 0);
    const format = sniffFormat(head);
    if (format !== undefined && format !== 'gz' && format !== 'nifti') return 'image';
    const start = format === 'gz' ? await gunzipStart(path, head) : head;
    if (hasNiftiHeader(start)) return 'image';
    return format === 'gz' ? 'is a gzip file without a NIfTI volume' : `is ${describeContent(head)}`;
  } catch (error) {
    if (error instanceof UnimissError) return error.what;
    throw error;
  }
}

function unknownFormat(path: string, head: Buffer): UnimissError {
  return imageError(path, `is not an image of a supported format but ${describeContent(head)}`);
}

/** Reads a PNG, JPEG or DICOM file, by its content, as 8-bit RGB. Throws UnimissError('data') naming file and reason. */
export async function readImage(path: string): Promise<Image2D> {
  const { format, head, size } = await sniffFile(path);
  if (size === 0) throw imageError(path, 'is empty (0 bytes)');
  if (format === 'png') return readPng(path);
  if (format === 'jpeg') return readJpeg(path);
  if (format === 'dicom') return readDicomPicture(path);
  throw unknownFormat(path, head);
}

/**
 * Reads a volume of any supported format, by its content, in the axes of `arrayAxes`, with the grid in which it is stored.
 * @throws UnimissError('data') naming file and reason
 */
export async function readVolume(path: string, options: ReadOptions = {}): Promise<StoredVolume> {
  const { format } = await sniffFile(path);
  if (format === 'nifti' || format === 'gz') return readNifti(path, options);
  return toVolume(path, await decodeVolume(path, options));
}

/**
 * Reads labels of any supported format as integers, in the axes of `arrayAxes`, with the grid in which they are stored. Nothing is interpolated.
 * @param options `into`: the grid of the image; a DICOM segmentation leaves out slices without a label, which come back in it
 * @throws UnimissError('data') naming file and reason: also values that are NaN or no whole numbers
 */
export async function readLabels(
  path: string,
  options: ReadOptions & { into?: StoredGrid } = {},
): Promise<StoredLabels> {
  const segmentation = await segmentationFile(path);
  if (segmentation === undefined) return toLabels(path, await decodeVolume(path, options));
  return toLabels(path, await decodeSegmentation(segmentation, options.into));
}

/** The DICOM segmentation that a path stands for: a file, or the only DICOM file of a folder. undefined: it is something else. */
async function segmentationFile(path: string): Promise<string | undefined> {
  if ((await sniffFile(path)).format !== 'dicom') return undefined;
  const [file, ...others] = (await stat(path)).isDirectory() ? await dicomFilesIn(path) : [path];
  if (file === undefined || others.length > 0) return undefined;
  const header = await readDicomHeader(file);
  return header && isSegmentation(header) ? file : undefined;
}

/** The stored voxels of a volume of any supported format, by its content. Throws UnimissError('data'). */
export async function decodeVolume(path: string, options: ReadOptions): Promise<Decoded> {
  const { format, head, size } = await sniffFile(path);
  if (size === 0) throw imageError(path, 'is empty (0 bytes)');
  if (format === 'nifti' || format === 'gz') return decodeNifti(path, options);
  if (format === 'nrrd' || format === 'metaimage') return decodeTextVolume(path, format, options);
  if (format === 'dicom') return decodeDicom(path, options);
  throw unknownFormat(path, head);
}

/** What `readVolume` would say about where a volume's voxels lie, from its header alone. Throws UnimissError('data'). */
export async function volumeNotices(
  path: string,
): Promise<Partial<Pick<StoredVolume, 'orientationNotice' | 'notices'>>> {
  const { format } = await sniffFile(path);
  if (format === 'dicom') {
    const info = await inspectDicom(path);
    return info.kind === '3D' ? { notices: info.stack.notices } : {};
  }
  const { orientationNotice } =
    format === 'nrrd' || format === 'metaimage' ? await inspectTextVolume(path, format) : await readNiftiHeader(path);
  return orientationNotice === undefined ? {} : { orientationNotice };
}
