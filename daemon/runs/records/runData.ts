import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { filesOfLabelled } from '../../data/datasets/labelled/openLabelled.ts';
import { readManifest } from '../../data/datasets/manifest.ts';

/** The images of a run: what its configuration names, and no more. */
export interface RunData {
  /** With everything below them. */
  readonly folders: readonly string[];
  /** Single files: named ones, lists of images, and what these list. A DICOM series that a list names is a folder. Absolute paths. */
  readonly files: readonly string[];
}

/** The paths from which a run reads its images: folders, files, a manifest, a table. */
export function dataOf({ data }: ResolvedConfig): string[] {
  if ('path' in data) return [data.path];
  return data.manifest !== undefined ? [data.manifest] : [data.paths ?? []].flat();
}

/** @throws UnimissError 'data' for a list of images that cannot be read */
export async function runData(config: ResolvedConfig): Promise<RunData> {
  const folders: string[] = [];
  const files: string[] = [];
  for (const path of dataOf(config).map((one) => resolve(one))) {
    if ((await statOf(path))?.isDirectory()) folders.push(path);
    else files.push(...(await filesBy(path, config)));
  }
  return { folders, files };
}

/** A file that the configuration names, and what it lists; nothing where it is gone. */
async function filesBy(path: string, { data }: ResolvedConfig): Promise<string[]> {
  if ((await statOf(path)) === undefined) return [];
  if ('path' in data) return filesOfLabelled(path, data.layout === 'auto' ? undefined : data.layout);
  if (data.manifest === undefined) return [path];
  return [path, ...(await readManifest(path)).entries.map((entry) => entry.path)];
}

/** When the lists of a run have changed: the same text, the same lists. */
export async function listsOf(config: ResolvedConfig): Promise<string> {
  const found = await Promise.all(dataOf(config).map(statOf));
  return found.map((one) => (one?.isDirectory() ? 'folder' : `${one?.mtimeMs} ${one?.size}`)).join();
}

/** The folders from which the names of a run's images may start: those of its data, or of the files that it names. */
export function startsOf(config: ResolvedConfig): Promise<string[]> {
  return Promise.all(dataOf(config).map(async (path) => ((await statOf(path))?.isDirectory() ? path : dirname(path))));
}

/** undefined: there is nothing. */
export async function statOf(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
}
