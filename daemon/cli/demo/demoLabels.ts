import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { readTable } from '../../data/datasets/labelled/readTable.ts';
import { type PhantomOptions, phantomDrawing, writePhantoms } from '../../data/phantoms/write.ts';
import { writeTextAtomically } from '../../files/atomic.ts';

/** Labelled pictures of made-up patients, by their use. Few to learn from: that is where pre-training should help. */
export interface LabelledPhantoms {
  readonly seed: number;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** Height and width of a picture. */
  readonly image?: number;
}

/**
 * Makes a table of labelled pictures (`path,label,split`) in a folder, unless it is there: the same seed makes the same images. The
 * conditions alternate, so that each is in each part alike.
 * @returns the table
 */
export async function writeLabelledPhantoms(
  root: string,
  { seed, train, validation, test, image }: LabelledPhantoms,
  onProgress: NonNullable<PhantomOptions['onProgress']>,
): Promise<string> {
  const images = train + validation + test;
  const folder = join(root, `labelled-${phantomDrawing}-${seed}-${images}-${image ?? 'usual'}`);
  const table = join(folder, `cases-${train}-${validation}.csv`); // written last
  if (existsSync(table)) return table;
  const { manifest } = await writePhantoms(folder, {
    ...{ seed, volumes: 0, images, onProgress },
    ...(image !== undefined && { size: { image } }),
  });
  const { rows } = await readTable(manifest);
  const split = (n: number) => (n < train ? 'train' : n < train + validation ? 'validation' : 'test');
  const lines = rows.map(({ cells: { path, label } }, n) => [path, label, split(n)]);
  await writeTextAtomically(
    join(dirname(manifest), `cases-${train}-${validation}.csv`),
    stringify([['path', 'label', 'split'], ...lines]),
  );
  return table;
}
