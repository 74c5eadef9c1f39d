import { dirname } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';
import { sortFiles } from '../formats/dicom/dicomFolder.ts';
import { inspectImage, isImage, sniffFile } from '../formats/image.ts';
import { formatOfName } from '../formats/sniff.ts';
import { findFiles, type IgnoredFile, idOf, imagesAmong, naturalOrder, walkFiles } from './files.ts';
import { readManifest } from './manifest.ts';

/** One image of a data set. */
export interface Sample {
  /** Path relative to the data set's root, with `/`: independent of the place of the folder. */
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
  readonly kind: '2D' | '3D';
  /** Known class, from a manifest only. */
  readonly label?: string;
}

/** An image that cannot be used. */
export interface BrokenImage {
  readonly id: string;
  /** What is wrong with it, and the remedy if known. */
  readonly reason: string;
}

export interface DatasetOptions {
  /** Folders (searched at any depth) or files. Either this or `manifest`. */
  readonly paths?: string | readonly string[];
  /** A list of images (see manifest.ts). */
  readonly manifest?: string;
  /** Share of the images, 0–1, that may be broken before `UnimissError` stops the run; default 0.05. */
  readonly maxBroken?: number;
  /** Called for each broken image as soon as it is found, even if there are too many. */
  readonly onBroken?: (image: BrokenImage) => void;
  /** Called with the number of files checked so far. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Number of headers read at the same time. */
const parallelChecks = 8;
/** Number of broken images that an error lists; it counts the others. */
const listed = 20;

/**
 * The images of a run: 2D and 3D, in natural order of their ids, and broken ones with reasons. Broken images found later are
 * reported to it and count as well.
 */
export class Dataset {
  private readonly brokenById = new Map<string, BrokenImage>();

  constructor(
    /** Ids are relative to this folder. */
    readonly root: string,
    readonly samples2D: readonly Sample[],
    readonly samples3D: readonly Sample[],
    broken: readonly BrokenImage[],
    /** Files that are no images, and why they were skipped. */
    readonly ignored: readonly IgnoredFile[],
    readonly maxBroken: number,
  ) {
    for (const image of broken) this.brokenById.set(image.id, image);
    this.found = samples2D.length + samples3D.length + this.brokenById.size;
    this.checkShare();
  }

  /** Number of all images, including broken ones. */
  readonly found: number;

  /** The images of one phase. */
  samples(phase: '2D' | '3D'): readonly Sample[] {
    return phase === '2D' ? this.samples2D : this.samples3D;
  }

  /** All broken images so far. */
  get broken(): readonly BrokenImage[] {
    return [...this.brokenById.values()];
  }

  /**
   * Records a broken image.
   * @returns false if it was already known
   * @throws UnimissError('data') if the share of broken images now exceeds `maxBroken`
   */
  reportBroken(image: BrokenImage): boolean {
    if (this.brokenById.has(image.id)) return false;
    this.brokenById.set(image.id, image);
    this.checkShare();
    return true;
  }

  private checkShare(): void {
    const broken = this.broken;
    if (broken.length === 0 || broken.length <= this.maxBroken * this.found) return;
    const percent = (share: number) => `${+(100 * share).toFixed(1)} %`;
    const named = broken.slice(0, listed);
    const lines = named.map(({ id, reason }) => `\n  ${id}: ${reason.replaceAll('\n', ' ')}`);
    const more = broken.length > listed ? `\n  … and ${broken.length - listed} more` : '';
    throw new UnimissError(
      'data',
      `${broken.length} of ${this.found} images are broken (${percent(broken.length / this.found)}; allowed: ${percent(this.maxBroken)}):${lines.join('')}${more}`,
      {
        place: this.root,
        remedy: 'Repair them or take them out, or allow more with `data.maxBroken` (`unimiss embed`: --max-broken).',
        images: named.map(({ id }) => id),
      },
    );
  }
}

/** What is wrong with a broken image and the remedy, in one text without the path: the id names the image. */
export function brokenReason(error: unknown): string {
  if (!(error instanceof UnimissError)) throw error;
  return error.details.remedy ? `${error.what}. ${error.details.remedy}` : error.what;
}

/**
 * Finds the images in folders or in a manifest and checks each header. The content decides the format of a file. A file with an
 * image's name must be a sound image. Other files that are no images are skipped and listed in `ignored`.
 * @throws UnimissError('data') if nothing is found, a path does not exist, a manifest is malformed, or too many images are broken
 */
export async function openDataset(options: DatasetOptions): Promise<Dataset> {
  const { maxBroken = 0.05, onBroken, onProgress } = options;
  const { root, entries, ignored } = await candidates(options);
  const samples: Sample[] = [];
  const broken: BrokenImage[] = [];
  let done = 0;
  await inParallel(entries, async ({ path, label }) => {
    const id = idOf(root, path);
    try {
      const { kind } = await inspectImage(path);
      samples.push({ id, path, kind, ...(label === undefined ? {} : { label }) });
    } catch (error) {
      const image = { id, reason: brokenReason(error) };
      broken.push(image);
      onBroken?.(image);
    }
    onProgress?.(++done, entries.length);
  });
  // Checks end in any order; the lists keep the order of the candidates.
  const order = new Map(entries.map(({ path }, i) => [idOf(root, path), i]));
  const byOrder = (a: { id: string }, b: { id: string }) => order.get(a.id)! - order.get(b.id)!;
  samples.sort(byOrder);
  broken.sort(byOrder);
  return new Dataset(
    root,
    samples.filter(({ kind }) => kind === '2D'),
    samples.filter(({ kind }) => kind === '3D'),
    broken,
    ignored,
    maxBroken,
  );
}

interface Candidates {
  readonly root: string;
  readonly entries: readonly { path: string; label?: string }[];
  readonly ignored: readonly IgnoredFile[];
}

async function candidates({ paths, manifest }: DatasetOptions): Promise<Candidates> {
  if (manifest !== undefined) return { ...(await listedIn(manifest)), ignored: [] };
  const given = asList(paths);
  const { root, files, imageNamedFolders, ignored } = await findFiles(given);
  const entries: { path: string }[] = [];
  const others: IgnoredFile[] = [];
  const dicom: string[] = [];
  await inParallel(files, async (path) => {
    const taken = await taking(path);
    if (taken !== 'image') others.push({ path, why: taken });
    else if (await mayBeDicom(path)) dicom.push(path);
    else entries.push({ path });
  });
  for (const [folder, inFolder] of byFolder(dicom)) {
    const { images, leftOut } = await dicomImages(folder, inFolder);
    entries.push(...images.map((path) => ({ path })));
    others.push(...leftOut);
  }
  // Some tools make a folder `ct.nii.gz` for the file in it. A folder like this without an image counts as a broken image.
  const holding = foldersOf(entries);
  for (const path of imageNamedFolders) if (!holding.has(path)) entries.push({ path });
  const byPath = (a: { path: string }, b: { path: string }) => naturalOrder(a.path, b.path);
  entries.sort(byPath);
  others.sort(byPath);
  if (entries.length === 0) throw noImages(given, [...others, ...ignored]);
  return { root, entries, ignored: [...ignored, ...others] };
}

/** Whether a file begins like DICOM; those with the name of another format are not looked at again. */
async function mayBeDicom(path: string): Promise<boolean> {
  const named = formatOfName(path);
  if (named !== undefined && named !== 'dicom') return false;
  // A file that cannot be read is named as broken by the check of its header.
  return (await sniffFile(path).catch(() => undefined))?.format === 'dicom';
}

function byFolder(files: readonly string[]): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const inFolder = folders.get(dirname(file));
    if (inFolder) inFolder.push(file);
    else folders.set(dirname(file), [file]);
  }
  return folders;
}

/** What DICOM files of one folder are: a series is one image, whose path is the folder; other files are an image each. */
async function dicomImages(
  folder: string,
  files: readonly string[],
): Promise<{ images: readonly string[]; leftOut: readonly IgnoredFile[] }> {
  try {
    const { groups, leftOut, damaged } = await sortFiles(folder, files);
    const images = groups.map(({ headers }) => (headers.length > 1 ? folder : headers[0].path));
    // A series that is damaged throughout is one broken image.
    const broken = images.length === 0 && damaged.length > 1 ? [folder] : damaged.map(({ file }) => file);
    return { images: [...images, ...broken], leftOut };
  } catch (error) {
    if (!(error instanceof UnimissError)) throw error;
    return { images: [folder], leftOut: [] }; // the check of headers says why
  }
}

/** The folders that contain these files, at any depth. */
function foldersOf(files: readonly { path: string }[]): Set<string> {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  return folders;
}

/** Largest number of files to check in the search for an image. */
const looks = 1000;

/**
 * Throws the errors that `openDataset` would throw before it reads headers. Takes little time however large the folders are: it
 * returns at the first image, sound or not, and after a thousand files without an image.
 * @throws UnimissError('data') as `openDataset`
 */
export async function requireImage({ paths, manifest }: Pick<DatasetOptions, 'paths' | 'manifest'>): Promise<void> {
  if (manifest !== undefined) {
    await listedIn(manifest);
    return;
  }
  const given = asList(paths);
  const others: IgnoredFile[] = [];
  for await (const path of walkFiles(given)) {
    const taken = await taking(path);
    if (taken === 'image' || others.push({ path, why: taken }) === looks) return;
  }
  throw noImages(given, others);
}

async function listedIn(manifest: string): ReturnType<typeof readManifest> {
  const listed = await readManifest(manifest);
  if (listed.entries.length === 0) throw new UnimissError('data', 'lists no images', { place: manifest });
  return listed;
}

/** Returns 'image' for a file with an image's name or content, else the reason to skip it. */
async function taking(path: string): Promise<string> {
  return formatOfName(path) !== undefined ? 'image' : isImage(path);
}

function asList(paths: DatasetOptions['paths'] = []): readonly string[] {
  return typeof paths === 'string' ? [paths] : paths;
}

function noImages(given: readonly string[], others: readonly IgnoredFile[]): UnimissError {
  const example = others[0];
  return new UnimissError(
    'data',
    example ? `no images found in ${others.length} files (the first ${example.why})` : 'no images found',
    {
      place: given.join(', ') || 'data.paths',
      remedy: 'Give a folder with volumes (NIfTI, NRRD, MetaImage, DICOM) or images (PNG, JPEG, DICOM).',
      images: imagesAmong(given),
    },
  );
}

async function inParallel<T>(items: readonly T[], use: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await use(item);
  };
  await Promise.all(Array.from({ length: parallelChecks }, worker));
}
