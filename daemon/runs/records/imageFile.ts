import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { RunFolder } from '../folder/runFolder.ts';

/**
 * The file of an image that the records of a run name: relative to the deepest folder with all of the run's images.
 * @param image as `file` of an event, or a name of a preview
 * @returns absolute path of an existing file below the run's data
 * @throws UnimissError 'data' if there is none, or the run hides the names of its images
 */
export async function imageFile({ config, id }: Pick<RunFolder, 'config' | 'id'>, image: string): Promise<string> {
  if (config.records.hidePaths)
    throw new UnimissError('data', 'is hidden: this run replaces the names of its images (records.hidePaths)', {
      place: `${id}: ${image}`,
    });
  for (const root of await rootsOf(config)) {
    const file = join(root, image);
    const inside = relative(root, file);
    if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) continue;
    if (await exists(file)) return file;
  }
  throw new UnimissError('data', 'is not among the images of the run any more', {
    place: image,
    remedy: `Was it moved or removed? The run reads its images from ${dataOf(config).join(', ')}.`,
  });
}

/** The folders to which names of images may be relative, the most likely first. */
async function rootsOf(config: ResolvedConfig): Promise<string[]> {
  const folders = await dataFolders({ config });
  return [...new Set([commonFolder(folders), ...folders])];
}

/** The folders from which a run reads images: those that its configuration names, or where the files are that it names. */
export function dataFolders({ config }: Pick<RunFolder, 'config'>): Promise<string[]> {
  return Promise.all(
    dataOf(config).map(async (path) => ((await stat(path).catch(absent))?.isDirectory() ? path : dirname(path))),
  );
}

/** The paths of a run's images: folders, files, a manifest. */
function dataOf({ data }: ResolvedConfig): string[] {
  if ('path' in data) return [data.path];
  return data.manifest !== undefined ? [data.manifest] : [data.paths ?? []].flat();
}

/** The deepest folder that contains all of some folders. */
function commonFolder(folders: readonly string[]): string {
  const [first = sep, ...others] = folders;
  const shared = (folder: string) => others.every((other) => other === folder || other.startsWith(join(folder, sep)));
  let folder = first;
  while (!shared(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(absent)) !== undefined;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
