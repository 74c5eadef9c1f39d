import { join } from 'node:path';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { isInside } from '../../../protocol/insideFolder.ts';
import { commonFolder } from '../../data/datasets/files.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { dataOf, runData, startsOf, statOf } from './runData.ts';

/**
 * The file of an image that the records of a run name: relative to the deepest folder with all of the run's images.
 * @param image as `file` of an event, or a name of a preview
 * @returns absolute path of an existing file among the run's data
 * @throws UnimissError 'data' if there is none, or the run hides the names of its images
 */
export async function imageFile({ config, id }: Pick<RunFolder, 'config' | 'id'>, image: string): Promise<string> {
  if (config.records.hidePaths)
    throw new UnimissError('data', 'is hidden: this run replaces the names of its images (records.hidePaths)', {
      place: `${id}: ${image}`,
    });
  const { folders, files } = await runData(config);
  for (const root of await rootsOf(config)) {
    const file = join(root, image);
    if (!folders.some((folder) => isInside(folder, file)) && !files.includes(file)) continue;
    if ((await statOf(file)) !== undefined) return file;
  }
  throw new UnimissError('data', 'is not among the images of the run any more', {
    place: image,
    remedy: `Was it moved or removed? The run reads its images from ${dataOf(config).join(', ')}.`,
  });
}

/** The folders to which names of images may be relative, the most likely first. */
async function rootsOf(config: ResolvedConfig): Promise<string[]> {
  const folders = await startsOf(config);
  return [...new Set([commonFolder(folders), ...folders])];
}
