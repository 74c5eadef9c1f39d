import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { readTable } from '../../data/datasets/labelled/readTable.ts';
import type { PhantomSize } from '../../data/phantoms/draw.ts';
import { type PhantomOptions, phantomDrawing, writePhantoms } from '../../data/phantoms/write.ts';
import { writeTextAtomically } from '../../files/atomic.ts';

/** Labelled pictures and volumes of made-up patients, by their use. Few to learn from: that is where pre-training should help. */
export interface LabelledPhantoms {
  readonly seed: number;
  /** Numbers of each modality. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  readonly size: Readonly<PhantomSize>;
}

/** Where they are. */
export interface LabelledTables {
  /** `path,label,split` of each modality, for fine-tuning. */
  readonly cases: Readonly<Record<Modality, string>>;
  /** `path,label` of all test images, for the probe. */
  readonly test: string;
}

/**
 * Makes the tables of labelled phantoms in a folder, unless they are there: the same seed makes the same images. The conditions
 * alternate, so that each is in each part alike.
 */
export async function writeLabelledPhantoms(
  root: string,
  { seed, train, validation, test, size }: LabelledPhantoms,
  onProgress: NonNullable<PhantomOptions['onProgress']>,
): Promise<LabelledTables> {
  const count = train + validation + test;
  const sizes = [size.slices, size.plane, size.image].join('-');
  const folder = join(root, `labelled-${phantomDrawing}-${seed}-${count}-${sizes}`);
  const place = (name: string) => join(folder, `${name}-${train}-${validation}.csv`);
  const tables = { cases: { '2D': place('cases-2D'), '3D': place('cases-3D') }, test: place('test') };
  if (existsSync(tables.test)) return tables; // written last
  const written = await writePhantoms(folder, { seed, volumes: count, images: count, size, onProgress });
  const split = (n: number) => (n < train ? 'train' : n < train + validation ? 'validation' : 'test');
  const tested: (string | undefined)[][] = [];
  for (const modality of modalities) {
    const { rows } = await readTable(written.tables[modality]);
    const lines = rows.map(({ cells: { path, label } }, n) => [path, label, split(n)]);
    await writeTextAtomically(tables.cases[modality], stringify([['path', 'label', 'split'], ...lines]));
    tested.push(...lines.filter(([, , part]) => part === 'test').map(([path, label]) => [path, label]));
  }
  await writeTextAtomically(tables.test, stringify([['path', 'label'], ...tested]));
  return tables;
}
