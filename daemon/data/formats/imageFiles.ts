import { stat } from 'node:fs/promises';
import { UnimissError } from '../../../protocol/errors.ts';
import { dicomFilesIn, openDicom } from './dicom/dicomFolder.ts';
import { isSegmentation, readDicomHeader } from './dicom/dicomHeader.ts';
import { sniffFile } from './image.ts';
import type { ReadOptions } from './nifti.ts';
import { inspectTextVolume } from './textVolume.ts';

/**
 * All files that an image or a map of labels consists of: a DICOM series has one for each slice, a detached header a second one with
 * the voxels.
 * @throws UnimissError('data') where the image cannot be found or its header cannot be read
 */
export async function filesOfImage(path: string, options: ReadOptions = {}): Promise<string[]> {
  const { format } = await sniffFile(path);
  if (format === 'nrrd' || format === 'metaimage')
    return [...new Set([path, (await inspectTextVolume(path, format, options)).dataFile])];
  if (format !== 'dicom') return [path];
  if ((await stat(path)).isDirectory()) return dicomFilesIn(path);
  const header = await readDicomHeader(path);
  if (!header || isSegmentation(header)) return [path];
  return (await openDicom(path)).group.headers.map((one) => one.path).sort();
}

/**
 * Path, size and time of each file of images: a change of any of them gives another text. A file that cannot be read counts as
 * missing; its reader says why.
 */
export async function stateOfImages(paths: readonly string[], options: ReadOptions = {}): Promise<string> {
  const state: unknown[] = [];
  for (const path of paths) {
    const files = await filesOfImage(path, options).catch((error: unknown) => {
      if (error instanceof UnimissError) return [path];
      throw error;
    });
    for (const file of files) {
      const found = await stat(file).catch(() => undefined);
      state.push([file, found?.size ?? -1, found?.mtimeMs ?? 0]);
    }
  }
  return JSON.stringify(state);
}
