import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isInside } from '../protocol/insideFolder.ts';
import { holdsLabelsOf, isLabelFolder } from '../protocol/viewer/labelFolders.ts';

/** At most so many overlays are found: a folder of predictions of many runs would hide the image. */
const most = 6;
const ending = /\.(nii(\.gz)?|nrrd|mha|mhd|nhdr|dcm|png)$/i;
/** Of pictures; their labels are no JPEG, whose compression changes them. */
const pictureEnding = /\.(png|jpe?g)$/i;
const labelWords = '(seg|segs|segmentation|label|labels|mask|gt|pred|prediction)';
const labelName = new RegExp(`^[-_. ]${labelWords}s?$`, 'i');

/**
 * Label maps and predictions that belong to an image, by their names: `labelsTr/x.nii.gz` for `imagesTr/x_0000.nii.gz`, the same name in a
 * folder of labels or predictions beside the image's, and `x-labels.nii.gz` beside `x.nii.gz`. References come before predictions. They are read
 * without a question, so a link must not lead to a file of elsewhere: it counts if it stays in the image's data set, or in the one that the image
 * itself is a link into.
 * @returns absolute paths
 */
export async function findOverlays(path: string): Promise<string[]> {
  const folder = dirname(path);
  const stem = basename(path).replace(ending, '').replace(pictureEnding, '');
  const stems = new Set([stem, stem.replace(/_\d{4}$/, '')]);
  const beside = (await names(folder)).filter((name) => {
    const own = [...stems].find((one) => name.startsWith(one));
    return own !== undefined && ending.test(name) && labelName.test(name.slice(own.length).replace(ending, ''));
  });
  const real = await realpath(path).catch(() => path); // an image may go while it is shown
  const found = await filesIn(await resolved([folder, dirname(real)]), folder, beside);
  const parent = dirname(folder);
  const roots = await resolved([parent, dirname(dirname(real))]);
  // An image that lies in a folder of labels is a label map itself.
  if (!isLabelFolder(basename(folder)))
    for (const name of (await names(parent)).filter((one) => holdsLabelsOf(one, basename(folder)))) {
      if (found.length >= most) break;
      const there = (await names(join(parent, name))).filter(
        (file) => ending.test(file) && stems.has(file.replace(ending, '')),
      );
      found.push(...(await filesIn(roots, join(parent, name), there)));
    }
  return found.slice(0, most);
}

/** Folders as they are when links are followed. */
function resolved(folders: readonly string[]): Promise<string[]> {
  return Promise.all(folders.map((folder) => realpath(folder)));
}

/** The paths of those names in a folder that are files, and lie in one of some resolved folders when links are followed. */
async function filesIn(within: readonly string[], folder: string, names: readonly string[]): Promise<string[]> {
  const fits = async (path: string) => {
    const real = await realpath(path);
    return within.some((root) => isInside(root, real)) && (await stat(real)).isFile();
  };
  const paths = names.map((name) => join(folder, name));
  // One that leads nowhere, or that is gone meanwhile, does not belong to the image.
  const kept = await Promise.all(paths.map((path) => fits(path).catch(() => false)));
  return paths.filter((_, i) => kept[i]);
}

/** Names in a folder, in order; none where it cannot be read. */
async function names(folder: string): Promise<string[]> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) return [];
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
}
