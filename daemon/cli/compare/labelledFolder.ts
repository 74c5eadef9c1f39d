import { existsSync } from 'node:fs';
import { rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { UnimissError } from '../../../protocol/errors.ts';
import { writeSplit } from '../../data/datasets/labelled/split/splitFile.ts';
import { Random } from '../../data/random.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import type { LabelledImage } from './images.ts';

/** A data set for fine-tuning in the folder of an experiment's results: links to images and label maps of pool and test. */
export interface LabelledFolder {
  readonly folder: string;
  /** Table of the classes; ids in it are `images/NAME`. */
  readonly table: string;
  /** Names of cases of the pool, in order of the pool, and of the test. */
  readonly pool: readonly string[];
  readonly test: readonly string[];
}

/**
 * Links the images of a modality into one folder, which is a table of classes and a folder of pairs. The folder appears when it is
 * complete.
 * @throws UnimissError 'data' where label maps are wanted and one is missing
 */
export async function linkLabelled(
  folder: string,
  {
    pool,
    test,
    maps,
    structures,
  }: {
    readonly pool: readonly LabelledImage[];
    readonly test: readonly LabelledImage[];
    /** Whether label maps are wanted. */
    readonly maps: boolean;
    readonly structures: Readonly<Record<string, number>> | undefined;
  },
): Promise<LabelledFolder> {
  const named = (images: readonly LabelledImage[], side: 'pool' | 'test') =>
    images.map((image, i) => ({ image, file: linkName(side, i, image) }));
  const [fromPool, toTest] = [named(pool, 'pool'), named(test, 'test')];
  const files = (images: typeof fromPool) => images.map(({ file }) => file);
  const found = { folder, table: join(folder, 'cases.csv'), pool: files(fromPool), test: files(toTest) };
  const all = [...fromPool, ...toTest].map((one) => ({ ...one, stem: caseId.segmentation(one.file) }));
  if (existsSync(folder)) return found;
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  for (const below of ['images', ...(maps ? ['masks'] : [])]) await makeFolder(join(part, below));
  for (const { image, stem, file } of all) {
    await symlink(image.path, join(part, 'images', file));
    if (!maps) continue;
    const map = labelMapOf(image);
    await symlink(map, join(part, 'masks', `${stem}${endingOf(map)}`));
  }
  const rows = all.map(({ image, stem, file }) => [`images/${file}`, image.label, image.patient ?? stem]);
  await writeTextAtomically(join(part, 'cases.csv'), stringify([['path', 'label', 'patient'], ...rows]));
  const patients = all.map(({ image, stem }) => [stem, image.patient ?? stem]);
  await writeTextAtomically(join(part, 'patients.csv'), stringify([['case', 'patient'], ...patients]));
  if (structures) await writeTextAtomically(join(part, 'labels.json'), JSON.stringify(structures));
  await rename(part, folder);
  return found;
}

/** @throws UnimissError 'data' for an image without label map */
export function labelMapOf({ path, segmentation }: LabelledImage): string {
  if (segmentation !== undefined) return segmentation;
  throw new UnimissError('data', 'an image has no label map', {
    place: path,
    remedy: 'Give all images of the manifests a `segmentation`, or remove "segmentation" from `tasks`.',
  });
}

/** Name of the link to an image. @param number its position among the images of its side */
function linkName(side: 'pool' | 'test', number: number, { path }: LabelledImage): string {
  return `${side}-${String(number + 1).padStart(5, '0')}${endingOf(path)}`;
}

/** Ids of the test cases of a task, in the order of the test images. */
export function testCases(task: keyof typeof caseId, test: readonly LabelledImage[]): string[] {
  return test.map((image, i) => caseId[task](linkName('test', i, image)));
}

function endingOf(path: string): string {
  return /(\.nii\.gz|\.[A-Za-z0-9]+)?$/.exec(basename(path))?.[0] ?? '';
}

/** How a case of a `LabelledFolder` is called by the layout of its task. */
export const caseId = {
  classification: (file: string) => `images/${file}`,
  segmentation: (file: string) => file.slice(0, file.length - endingOf(file).length),
} as const;

/**
 * The images that a fine-tuning gets, the same for all arms: the first of each class in an order that the seed draws, so that more labels
 * contain fewer. The last ones are for validation.
 * @returns positions in the pool
 * @throws UnimissError 'data' where the pool has too few
 */
export function drawLabels(
  pool: readonly LabelledImage[],
  { labels, validation, seed }: { readonly labels: number; readonly validation: number; readonly seed: number },
): { readonly train: number[]; readonly validation: number[] } {
  const classes = [...new Set(pool.map(({ label }) => label))].sort();
  const drawn = classes.map((label) => {
    const own = pool.flatMap((image, i) => (image.label === label ? [i] : []));
    if (own.length < labels + validation)
      throw new UnimissError(
        'data',
        `has ${own.length} images of the class "${label}", but ${labels} + ${validation} are needed`,
        {
          place: 'fineTuning.manifest',
          remedy: 'Add images, or ask for fewer labels.',
        },
      );
    return new Random('labels', seed, label).shuffle(own);
  });
  return {
    train: drawn.flatMap((own) => own.slice(0, labels)),
    validation: drawn.flatMap((own) => own.slice(own.length - validation)),
  };
}

/** Writes the split of a fine-tuning. @returns its path, which contains what decides it */
export async function writeLabelSplit(
  { folder, pool: files, test }: LabelledFolder,
  pool: readonly LabelledImage[],
  options: {
    readonly task: keyof typeof caseId;
    readonly labels: number;
    readonly validation: number;
    readonly seed: number;
  },
): Promise<string> {
  const { task, labels, seed } = options;
  const file = join(folder, `split-${task}-n${labels}-s${seed}.json`);
  const drawn = drawLabels(pool, options);
  const ids = (positions: readonly number[]) =>
    positions.flatMap((i) => (files[i] === undefined ? [] : caseId[task](files[i])));
  const folds = [{ train: ids(drawn.train), validation: ids(drawn.validation) }];
  await writeSplit(file, { folds, test: test.map((one) => caseId[task](one)), seed });
  return file;
}
