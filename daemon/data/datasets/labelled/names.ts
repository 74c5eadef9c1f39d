import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readFailure } from '../../formats/bytes.ts';
import { dicomFilesIn } from '../../formats/dicom/dicomFolder.ts';
import { isImage } from '../../formats/image.ts';
import { formatOfName } from '../../formats/sniff.ts';
import { naturalOrder } from '../files.ts';

/** An image in a folder: a file, or the folder of a DICOM series. */
export interface FoundImage {
  readonly path: string;
  /** Its name without the ending that tells the format. */
  readonly stem: string;
}

/** Endings of image files. What is behind them is the format's affair (formats/image.ts). */
const ending = /\.(nii\.gz|nii|nrrd|nhdr|mha|mhd|png|jpe?g|dcm)$/i;

/** The name of a file without its folder and the ending of its format. */
export function stemOf(path: string): string {
  return basename(path).replace(ending, '');
}

/** What is in a folder, in natural order; names that begin with a dot are ignored. */
export async function listFolder(folder: string): Promise<{ files: string[]; folders: string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw readFailure(folder, error, []);
  });
  const [files, folders]: [string[], string[]] = [[], []];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const directory = entry.isSymbolicLink()
      ? await stat(join(folder, entry.name)).then(
          (target) => target.isDirectory(),
          () => false, // a dangling link: reported when it is opened
        )
      : entry.isDirectory();
    (directory ? folders : files).push(entry.name);
  }
  return { files: files.sort(naturalOrder), folders: folders.sort(naturalOrder) };
}

/**
 * The images that lie directly in a folder. A file is one by its name or, without a known ending, by its content; a data file beside a
 * header (`.raw`, `.zraw`) is none. A folder in it that holds DICOM files and no folder is a series.
 */
export async function imagesIn(folder: string): Promise<FoundImage[]> {
  const { files, folders } = await listFolder(folder);
  const found: FoundImage[] = [];
  for (const name of files) {
    const path = join(folder, name);
    if (
      formatOfName(name) !== undefined ||
      ending.test(name) ||
      (!/\.\w{1,5}$/.test(name) && (await isImage(path)) === 'image')
    )
      found.push({ path, stem: stemOf(name) });
  }
  for (const name of folders) {
    const path = join(folder, name);
    if (await isSeries(path)) found.push({ path, stem: name });
  }
  return found.sort((a, b) => naturalOrder(a.stem, b.stem));
}

/** Whether a folder holds DICOM files, and no folder. */
async function isSeries(folder: string): Promise<boolean> {
  const { files, folders } = await listFolder(folder);
  if (files.length === 0 || folders.length > 0) return false;
  return (await dicomFilesIn(folder)).length > 0;
}
