import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { UnimissError } from '../../../../protocol/errors.ts';
import { isInside } from '../../../../protocol/insideFolder.ts';
import { idOf } from '../../../data/datasets/files.ts';
import { findImages } from '../../../data/datasets/findImages.ts';
import { describeIgnored } from '../../../data/datasets/ignoredFiles.ts';
import { readTable } from '../../../data/datasets/labelled/readTable.ts';
import type { CaseFiles } from '../../../data/prepared/settings.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

/** nnU-Net's names of the files of one image: `liver_001_0000.nii.gz` is its first channel. */
const channelName = /^(?<name>.+)_(?<channel>\d{4})(?<ending>\.[^/]+)$/;

type Channels = readonly NetworkPlan['channels'][number][];

/** An image to predict. */
export interface InputCase extends CaseFiles {
  /** Whom it shows, where a table says so. */
  readonly patient?: string;
}

export interface InputImages {
  readonly cases: InputCase[];
  /** One line about the files that were skipped. */
  readonly ignored?: string;
}

/**
 * The images of an input: one a file or DICOM series, or one for all files `NAME_0000`, `NAME_0001`, … where the network takes several
 * channels from volumes. Their ids name their results: the path below the input, without its ending. The input may be a table (CSV or TSV) with
 * the columns `path`, relative to its folder, and optionally `patient`.
 * @param out folder of the results: what is in it is no input, unless it is the input itself
 * @throws UnimissError 'data' where there is none, channels are missing, or results would lie among the images
 */
export async function imagesOfInput(
  input: string,
  plan: Readonly<Pick<NetworkPlan, 'modality'>> & { readonly channels: Channels },
  out?: string,
): Promise<InputImages> {
  const { root, images, ignored, patients } = isTable.test(input)
    ? await imagesOfTable(input)
    : { ...(await findImages([input])), patients: new Map<string, string>() };
  if (out !== undefined && (await sameFolder(out, root)))
    throw new UnimissError('data', 'is the folder of the images, which results would overwrite', {
      place: out,
      remedy: 'Choose another folder for the results (--out).',
    });
  const own = out === undefined || isInside(out, input) ? images : images.filter((path) => !isInside(out, path));
  const several = plan.channels.length > 1 && plan.modality === '3D';
  const cases = new Map<string, string[]>();
  for (const path of own) {
    const id = await nameOf(root, path);
    const name = several ? channelName.exec(id)?.groups : undefined;
    const key = withoutEnding(name ? `${name.name}${name.ending}` : id);
    cases.set(key, [...(cases.get(key) ?? []), path]);
  }
  const skipped = describeIgnored({ root, ignored }, true);
  return {
    cases: [...cases].map(([id, paths]) => {
      const patient = paths.flatMap((path) => patients.get(path) ?? [])[0];
      return { ...caseOf(id, paths, plan.channels, several), ...(patient !== undefined && { patient }) };
    }),
    ...(skipped !== undefined && { ignored: skipped }),
  };
}

async function sameFolder(one: string, other: string): Promise<boolean> {
  const real = (path: string) => realpath(path).catch(() => path); // results may go into a folder that is not there yet
  return (await real(one)) === (await real(other));
}

function caseOf(id: string, paths: string[], channels: Channels, several: boolean): CaseFiles {
  const wanted = several ? channels.length : 1;
  if (paths.length === wanted) return { id, images: paths };
  const remedy = several
    ? `Name its ${wanted} channels ${basename(id)}_0000, ${basename(id)}_0001 and so on: ${channels.map(({ name }) => name).join(', ')}.`
    : 'Rename one of them: their results would have the same name.';
  throw new UnimissError('data', `there are ${paths.length} files of the image "${id}", but ${wanted} expected`, {
    place: paths.join(', '),
    remedy,
  });
}

const isTable = /\.(csv|tsv)$/i;

/** The images that a table lists, and whom they show. @throws UnimissError 'data' naming the line */
async function imagesOfTable(file: string) {
  const { columns, rows } = await readTable(file);
  const fail = (place: string, what: string, remedy: string) => new UnimissError('data', what, { place, remedy });
  if (!columns.includes('path'))
    throw fail(
      file,
      `has no column “path” (its columns: ${columns.join(', ')})`,
      'Write the first line as: path,patient',
    );
  if (rows.length === 0) throw fail(file, 'lists no images', 'Write a line for each image.');
  const root = dirname(resolve(file));
  const patients = new Map<string, string>();
  const images = new Set<string>();
  for (const { line, cells } of rows) {
    const { path: given = '', patient = '' } = cells;
    const place = `${file}:${line}`;
    const path = resolve(root, given);
    if (given === '' || given.includes('\0') || !isInside(root, path))
      throw fail(
        place,
        `names “${given}”, which is not in the table's folder`,
        'Put the table into a folder above its images.',
      );
    if (images.has(path)) throw fail(place, `lists “${given}” again`, 'Remove one of the two lines.');
    if (!existsSync(path))
      throw fail(place, `names “${given}”, which does not exist`, 'Add the file, or remove the line.');
    images.add(path);
    if (patient !== '') patients.set(path, patient);
  }
  return { root, images: [...images], ignored: [], patients };
}

/** The path below the root; a DICOM series is named after its folder, whose name has no ending. */
async function nameOf(root: string, path: string): Promise<string> {
  const id = idOf(root, path) || basename(path);
  return (await stat(path).catch(() => undefined))?.isDirectory() ? `${id}.dcm` : id;
}

export function withoutEnding(path: string): string {
  return path.replace(/\.(nii|nii\.gz|seg\.nrrd|nrrd|nhdr|mha|mhd|dcm|png|jpe?g)$/i, '');
}
