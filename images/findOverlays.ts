import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
 * folder of labels or predictions beside the image's, and `x-labels.nii.gz` beside `x.nii.gz`. References come before predictions.
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
  const found = beside.map((name) => join(folder, name));
  const parent = dirname(folder);
  // An image that lies in a folder of labels is a label map itself.
  if (!isLabelFolder(basename(folder)))
    for (const name of (await names(parent)).filter((one) => holdsLabelsOf(one, basename(folder)))) {
      if (found.length >= most) break;
      const there = (await names(join(parent, name))).filter(
        (file) => ending.test(file) && stems.has(file.replace(ending, '')),
      );
      found.push(...there.map((file) => join(parent, name, file)));
    }
  return found.slice(0, most);
}

/** Names in a folder, in order; none where it cannot be read. */
async function names(folder: string): Promise<string[]> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) return [];
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
}
