import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Modality } from '../../../protocol/modality.ts';
import { decodeNpy } from './npy.ts';

/** Features that `embed` wrote into a folder, with the images that they are of. */
export interface FeatureTable {
  /** Path of the features. */
  readonly file: string;
  /** [rows.length, featureLength] */
  readonly features: Float32Array;
  readonly featureLength: number;
  /** `label` is empty where an image has none. */
  readonly rows: readonly { readonly path: string; readonly label: string }[];
}

/** @throws UnimissError 'data' where the features are damaged */
export async function readFeatureTable(folder: string, modality: Modality): Promise<FeatureTable> {
  const file = join(folder, `features-${modality}.npy`);
  const { values, columns } = decodeNpy(await readFile(file), file);
  const rows: FeatureTable['rows'] = parse(await readFile(join(folder, `features-${modality}.csv`)), { columns: true });
  return { file, features: values, featureLength: columns, rows };
}
