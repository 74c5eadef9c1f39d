import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { Modality } from '../../../protocol/modality.ts';
import { count } from '../../../protocol/words.ts';
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

const rowsSchema = z.array(z.object({ path: z.string(), label: z.string() }));

/** @throws UnimissError 'data' where the features or their table are damaged, or do not belong together */
export async function readFeatureTable(folder: string, modality: Modality): Promise<FeatureTable> {
  const file = join(folder, `features-${modality}.npy`);
  const { values, rows: images, columns } = decodeNpy(await readFile(file), file);
  const rows = await readRows(join(folder, `features-${modality}.csv`), images);
  return { file, features: values, featureLength: columns, rows };
}

async function readRows(file: string, images: number): Promise<FeatureTable['rows']> {
  const refuse = (what: string, cause?: unknown) =>
    new UnimissError('data', what, { place: file, remedy: 'Compute the features again.', cause });
  const text = await readFile(file);
  let value: unknown;
  try {
    value = parse(text, { columns: true });
  } catch (error) {
    throw refuse(`is not a table (${messageOf(error)})`, error);
  }
  const found = rowsSchema.safeParse(value);
  if (!found.success) throw refuse('has no columns `path` and `label`');
  if (found.data.length !== images)
    throw refuse(`has ${count(found.data.length, 'image')}, but the features are of ${images}`);
  return found.data;
}
