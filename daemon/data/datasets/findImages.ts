import { dirname } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';
import { sortFiles } from '../formats/dicom/dicomFolder.ts';
import { isImage, sniffFile } from '../formats/image.ts';
import { formatOfName } from '../formats/sniff.ts';
import { findFiles, type IgnoredFile, imagesAmong, naturalOrder, refuseAborted } from './files.ts';
import { inParallel } from './inParallel.ts';

/** The images in some folders, by their names and first bytes. */
export interface FoundImages {
  /** The deepest folder that contains everything. */
  readonly root: string;
  /** Absolute paths in natural order. That of a DICOM series is its folder. */
  readonly images: readonly string[];
  /** Files that are no images, and why they were skipped. */
  readonly ignored: readonly IgnoredFile[];
}

/**
 * Finds images in folders at any depth. Files with an image's name count even if they are damaged: who reads their headers names them.
 * @throws UnimissError('data') if a path does not exist, or nothing is found; 'interrupted' on `signal`
 */
export async function findImages(paths: readonly string[], signal?: AbortSignal): Promise<FoundImages> {
  const { root, files, imageNamedFolders, ignored } = await findFiles(paths, signal);
  const images: string[] = [];
  const others: IgnoredFile[] = [];
  const dicom: string[] = [];
  await inParallel(
    files,
    async (path) => {
      const taken = await taking(path);
      if (taken !== 'image') others.push({ path, why: taken });
      else if (await mayBeDicom(path)) dicom.push(path);
      else images.push(path);
    },
    signal,
  );
  for (const [folder, inFolder] of byFolder(dicom)) {
    refuseAborted(signal);
    const { images: own, leftOut } = await dicomImages(folder, inFolder);
    images.push(...own);
    others.push(...leftOut);
  }
  // Some tools make a folder `ct.nii.gz` for the file in it. A folder like this without an image counts as a broken image.
  const holding = foldersOf(images);
  for (const path of imageNamedFolders) if (!holding.has(path)) images.push(path);
  images.sort(naturalOrder);
  others.sort((a, b) => naturalOrder(a.path, b.path));
  if (images.length === 0) throw noImages(paths, [...others, ...ignored]);
  return { root, images, ignored: [...ignored, ...others] };
}

/** Returns 'image' for a file with an image's name or content, else the reason to skip it. */
export async function taking(path: string): Promise<string> {
  return formatOfName(path) !== undefined ? 'image' : isImage(path);
}

/** Whether a file begins like DICOM; those with the name of another format are not looked at again. */
async function mayBeDicom(path: string): Promise<boolean> {
  const named = formatOfName(path);
  if (named !== undefined && named !== 'dicom') return false;
  // A file that cannot be read is named as broken by the check of its header.
  return (await sniffFile(path).catch(() => undefined))?.format === 'dicom';
}

function byFolder(files: readonly string[]): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const inFolder = folders.get(dirname(file));
    if (inFolder) inFolder.push(file);
    else folders.set(dirname(file), [file]);
  }
  return folders;
}

/** What DICOM files of one folder are: a series is one image, whose path is the folder; other files are an image each. */
async function dicomImages(
  folder: string,
  files: readonly string[],
): Promise<{ images: readonly string[]; leftOut: readonly IgnoredFile[] }> {
  try {
    const { groups, leftOut, damaged } = await sortFiles(folder, files);
    const images = groups.map(({ headers }) => (headers.length > 1 ? folder : headers[0].path));
    // A series that is damaged throughout is one broken image.
    const broken = images.length === 0 && damaged.length > 1 ? [folder] : damaged.map(({ file }) => file);
    return { images: [...images, ...broken], leftOut };
  } catch (error) {
    if (!(error instanceof UnimissError)) throw error;
    return { images: [folder], leftOut: [] }; // the check of headers says why
  }
}

/** The folders that contain these files, at any depth. */
function foldersOf(files: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const path of files) {
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  return folders;
}

/** The error for folders without an image. */
export function noImages(given: readonly string[], others: readonly IgnoredFile[]): UnimissError {
  const example = others[0];
  return new UnimissError(
    'data',
    example ? `no images found in ${others.length} files (the first ${example.why})` : 'no images found',
    {
      place: given.join(', ') || 'data.paths',
      remedy: 'Give a folder with volumes (NIfTI, NRRD, MetaImage, DICOM) or images (PNG, JPEG, DICOM).',
      images: imagesAmong(given),
    },
  );
}
