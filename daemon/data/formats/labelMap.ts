import type { Volume } from '../types.ts';
import { readLabels, sniffFile } from './image.ts';
import { imageError } from './imageError.ts';
import type { Affine } from './niftiGeometry.ts';
import { readPngLabels } from './png.ts';
import type { LabelNames, StoredGrid } from './storedVolume.ts';
import type { LabelData } from './voxels.ts';

/** Labels of a picture or a volume. */
export interface LabelMap {
  /** A picture has one slice. */
  readonly shape: Volume['shape'];
  /** C order [slices, x, y]; for pictures [1, height, width]. */
  readonly data: LabelData;
  /** From array indices to RAS millimetres; null: a picture. */
  readonly affine: Affine | null;
  /** Names of labels in the file, where it has any. */
  readonly names?: LabelNames;
}

/**
 * Reads labels of any supported format as the numbers that the file stores.
 * @param into the grid of the image: a DICOM segmentation leaves out slices without a label, which come back in it
 * @throws UnimissError('data') naming file and reason: JPEG too, whose compression changes labels
 */
export async function readLabelMap(path: string, into?: StoredGrid): Promise<LabelMap> {
  const { format } = await sniffFile(path);
  if (format === 'png') {
    const { width, height, data } = await readPngLabels(path);
    return { shape: [1, height, width], data, affine: null };
  }
  if (format === 'jpeg')
    throw imageError(path, 'is a JPEG file, whose compression changes labels', { remedy: 'Save labels as PNG.' });
  const { shape, data, affine, grid } = await readLabels(path, into && { into });
  return { shape, data, affine, ...(grid.labelNames && { names: grid.labelNames }) };
}
