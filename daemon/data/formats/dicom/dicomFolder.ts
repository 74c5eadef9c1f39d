import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UnimissError } from '../../../../protocol/errors.ts';
import { readEnds, readFailure } from '../bytes.ts';
import { imageError } from '../imageError.ts';
import { sniffFormat } from '../sniff.ts';
import { type DicomHeader, isSegmentation, readDicomHeader } from './dicomHeader.ts';

/** A file of a folder that is not part of the volume, and why: a clause whose subject is the file. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

/** Files that make one volume, or one picture. */
export interface DicomGroup {
  readonly kind: 'volume' | 'picture';
  readonly headers: readonly [DicomHeader, ...DicomHeader[]];
}

/** The DICOM files of a folder. */
export interface DicomFolder {
  /** One series of slices; without one, files that each stand for themselves: volumes of several frames, and pictures. */
  readonly groups: readonly DicomGroup[];
  /** Files without a sound header, where there is no series that they could belong to. */
  readonly damaged: readonly { readonly file: string; readonly error: UnimissError }[];
  readonly leftOut: readonly LeftOut[];
}

/** Files whose headers are read at the same time. */
const parallelReads = 8;

/**
 * The files of a folder (without its own folders) that begin like DICOM files.
 * @throws UnimissError('data') where the folder cannot be read
 */
export async function dicomFilesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw readFailure(folder, error);
  });
  const files = entries.filter((entry) => !entry.name.startsWith('.') && (entry.isFile() || entry.isSymbolicLink()));
  const found: string[] = [];
  await eachOf(
    files.map(({ name }) => join(folder, name)),
    async (path) => {
      // A broken link, or one to a folder, is no DICOM file.
      const info = await stat(path).catch(() => undefined);
      if (info?.isFile() && sniffFormat((await readEnds(path, 256, 0)).head) === 'dicom') found.push(path);
    },
  );
  return found.sort();
}

/**
 * Sorts DICOM files of one folder into what makes a volume, what stands for itself, and what belongs to neither. One series of several files
 * is the volume: the one with the most slices. Without such a series each file stands for itself.
 * @param path what messages name: the folder
 * @param wanted a file whose series is wanted, whatever else is there
 * @throws UnimissError('data') where a file beside a series is damaged, or two series are of equal standing
 */
export async function sortFiles(path: string, files: readonly string[], wanted?: string): Promise<DicomFolder> {
  const headers: DicomHeader[] = [];
  const leftOut: LeftOut[] = [];
  const damaged: DicomFolder['damaged'][number][] = [];
  await eachOf(files, async (file) => {
    try {
      const header = await readDicomHeader(file);
      if (!header) leftOut.push({ path: file, why: 'is a DICOM file without an image' });
      else if (isSegmentation(header))
        leftOut.push({ path: file, why: 'is a DICOM segmentation: labels, not an image' });
      else headers.push(header);
    } catch (error) {
      if (!(error instanceof UnimissError)) throw error;
      damaged.push({ file, error });
    }
  });
  headers.sort((a, b) => a.instanceNumber - b.instanceNumber || (a.path < b.path ? -1 : 1));
  const groups = grouped(withoutCopies(headers, leftOut));
  const stacks = groups.filter(isStack).sort((a, b) => sliceCount(b) - sliceCount(a));
  const asked = wanted === undefined ? undefined : groups.find((group) => group.some(({ path: p }) => p === wanted));
  const main = asked ? (isStack(asked) ? asked : undefined) : stacks[0];
  if (!main) {
    const single = (asked ?? groups.flat()).filter(({ path: p }) => wanted === undefined || p === wanted);
    const alone = single.map(
      (header): DicomGroup => ({ kind: header.frames > 1 ? 'volume' : 'picture', headers: [header] }),
    );
    return { groups: alone, leftOut: sortedByPath(leftOut), damaged };
  }
  const [first] = damaged;
  if (first) throw damagedSlice(path, first.file, first.error);
  const rival = groups.find(
    (group) => group !== main && (isStack(group) || group[0].frames > 1) && 2 * sliceCount(group) >= sliceCount(main),
  );
  if (!asked && rival) throw rivals(path, main, rival);
  for (const group of groups) {
    if (group === main) continue;
    for (const header of group) leftOut.push({ path: header.path, why: reason(header, main[0]) });
  }
  return { groups: [{ kind: 'volume', headers: main }], leftOut: sortedByPath(leftOut), damaged: [] };
}

function damagedSlice(path: string, file: string, { what, details }: UnimissError): UnimissError {
  const name = basename(file);
  return new UnimissError('data', `has a file that cannot be used (${name}): it ${what}`, {
    place: path,
    remedy: details.remedy ?? 'Export the series again.',
    images: [path, name],
    cause: details.cause,
  });
}

type Group = [DicomHeader, ...DicomHeader[]];

/** Files of one series and one form: slices of one stack have the same size, directions and kind of numbers. */
function grouped(headers: readonly DicomHeader[]): Group[] {
  const groups = new Map<string, Group>();
  for (const header of headers) {
    // A file of several frames is a volume of its own.
    const key = header.frames > 1 ? header.path : formOf(header);
    const group = groups.get(key);
    if (group) group.push(header);
    else groups.set(key, [header]);
  }
  return [...groups.values()];
}

function formOf({ series, rows, columns, samples, orientation, pixelSpacing, extraBytes }: DicomHeader): string {
  const directions = orientation?.flat().map((value) => Math.round(value * 1000) + 0);
  const steps = pixelSpacing?.map((mm) => Math.round(mm * 1000));
  return JSON.stringify([series, rows, columns, samples, directions, steps, extraBytes > 0]);
}

function isStack(group: Group): boolean {
  return group.length > 1 && group.every(({ positions, orientation }) => positions && orientation);
}

const sliceCount = (group: Group) => Math.max(group.length, group[0].frames);

function withoutCopies(headers: readonly DicomHeader[], leftOut: LeftOut[]): DicomHeader[] {
  const met = new Map<string, DicomHeader>();
  return headers.filter((header) => {
    const first = header.instance === '' ? undefined : met.get(header.instance);
    if (!first) met.set(header.instance, header);
    else
      leftOut.push({
        path: header.path,
        why: `is a copy of ${basename(first.path)}: both have the same UID`,
      });
    return !first;
  });
}

function reason(header: DicomHeader, main: DicomHeader): string {
  if (header.series !== main.series) return 'belongs to another series';
  if (header.extraBytes > 0) return `is of another form: ${header.extraBytes} bytes follow its image`;
  if (header.rows !== main.rows || header.columns !== main.columns)
    return `is of another form: ${header.rows}×${header.columns} pixels, not ${main.rows}×${main.columns}`;
  return 'is of another form: its image lies in another plane or has other pixels';
}

function rivals(path: string, ...groups: readonly [Group, Group]): UnimissError {
  const [one, two] = groups.map((group) => {
    const first = basename(group[0].path);
    const what =
      group[0].frames > 1 ? `${first} with ${group[0].frames} frames` : `${group.length} files, for example ${first}`;
    return `one of ${what}`;
  });
  return new UnimissError('data', `holds two series of equal standing: ${one}, and ${two}`, {
    place: path,
    remedy: 'Put each series into a folder of its own, or give one of its files instead of the folder.',
    images: [path, ...groups.map((group) => basename(group[0].path))],
  });
}

function sortedByPath(leftOut: readonly LeftOut[]): LeftOut[] {
  return [...leftOut].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * What a path to DICOM stands for: a folder's volume, or the series that a file belongs to.
 * @throws UnimissError('data') where there is none, or a folder holds only pictures
 */
export async function openDicom(path: string): Promise<{ group: DicomGroup; leftOut: readonly LeftOut[] }> {
  const info = await stat(path).catch((error: unknown) => {
    throw readFailure(path, error);
  });
  if (!info.isDirectory()) {
    const header = await readDicomHeader(path);
    if (!header) throw imageError(path, 'is a DICOM file without an image');
    if (isSegmentation(header)) throw imageError(path, 'is a DICOM segmentation: labels, where an image is expected');
    // A file of several frames needs no others; one without a position is a picture, whatever lies beside it.
    if (header.frames > 1 || !header.positions || !header.orientation)
      return { group: { kind: header.frames > 1 ? 'volume' : 'picture', headers: [header] }, leftOut: [] };
    const { groups, leftOut } = await sortFiles(path, await dicomFilesIn(dirname(path)), path);
    const [group] = groups;
    if (group) return { group, leftOut };
    throw imageError(path, 'is a DICOM file without an image');
  }
  const files = await dicomFilesIn(path);
  if (files.length === 0) throw imageError(path, 'is a folder without DICOM files');
  const { groups, leftOut, damaged } = await sortFiles(path, files);
  const [group, another] = groups;
  if (damaged[0] && !another) throw damagedSlice(path, damaged[0].file, damaged[0].error);
  if (group && !another) return { group, leftOut };
  if (!group) throw imageError(path, 'is a folder of DICOM files without an image');
  throw imageError(path, `is a folder of ${groups.length} separate DICOM images, not a series of slices`, {
    remedy: 'Give the files one by one.',
  });
}

async function eachOf<T>(items: readonly T[], use: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await use(item);
  };
  await Promise.all(Array.from({ length: parallelReads }, worker));
}
