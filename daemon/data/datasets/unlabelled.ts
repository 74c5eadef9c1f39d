import { UnimissError, withRemedy } from '../../../protocol/errors.ts';
import type { Modality } from '../../../protocol/modality.ts';
import { inspectImage } from '../formats/image.ts';
import { type IgnoredFile, idOf, walkFiles } from './files.ts';
import { findImages, noImages, taking } from './findImages.ts';
import { inParallel } from './inParallel.ts';
import { readManifest } from './manifest.ts';

/** One image of a data set. */
export interface Sample {
  /** Path relative to the data set's root, with `/`: independent of the place of the folder. */
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
  readonly kind: Modality;
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
  readonly signal?: AbortSignal;
}

/** Number of broken images that an error lists; it counts the others. */
const listed = 20;

/**
 * The images of a run: 2D and 3D, in natural order of their ids, and broken ones with reasons. Broken images found later are
 * reported to it and count as well.
 */
export class Dataset {
  private readonly brokenById = new Map<string, BrokenImage>();

  readonly samples2D: readonly Sample[];
  readonly samples3D: readonly Sample[];

  constructor(
    /** Ids are relative to this folder. */
    readonly root: string,
    samples: readonly Sample[],
    broken: readonly BrokenImage[],
    /** Files that are no images, and why they were skipped. */
    readonly ignored: readonly IgnoredFile[],
    readonly maxBroken: number,
  ) {
    this.samples2D = samples.filter(({ kind }) => kind === '2D');
    this.samples3D = samples.filter(({ kind }) => kind === '3D');
    for (const image of broken) this.brokenById.set(image.id, image);
    this.found = samples.length + this.brokenById.size;
    this.checkShare();
  }

  /** Number of all images, including broken ones. */
  readonly found: number;

  /** The images of one phase. */
  samples(phase: Modality): readonly Sample[] {
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
  return withRemedy(error.what, error.details.remedy);
}

/**
 * Finds the images in folders or in a manifest and checks each header. The content decides the format of a file. A file with an
 * image's name must be a sound image. Other files that are no images are skipped and listed in `ignored`.
 * @throws UnimissError('data') if nothing is found, a path does not exist, a manifest is malformed, or too many images are broken;
 * 'interrupted' on `signal`
 */
export async function openDataset(options: DatasetOptions): Promise<Dataset> {
  const { maxBroken = 0.05, onBroken, onProgress, signal } = options;
  const { root, entries, ignored } = await candidates(options);
  const samples: Sample[] = [];
  const broken: BrokenImage[] = [];
  let done = 0;
  await inParallel(
    entries,
    async ({ path, label }) => {
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
    },
    signal,
  );
  // Checks end in any order; the lists keep the order of the candidates.
  const order = new Map(entries.map(({ path }, i) => [idOf(root, path), i]));
  const byOrder = (a: { id: string }, b: { id: string }) => order.get(a.id)! - order.get(b.id)!;
  samples.sort(byOrder);
  broken.sort(byOrder);
  return new Dataset(root, samples, broken, ignored, maxBroken);
}

interface Candidates {
  readonly root: string;
  readonly entries: readonly { path: string; label?: string }[];
  readonly ignored: readonly IgnoredFile[];
}

async function candidates({ paths, manifest, signal }: DatasetOptions): Promise<Candidates> {
  if (manifest !== undefined) return { ...(await listedIn(manifest)), ignored: [] };
  const { root, images, ignored } = await findImages(asList(paths), signal);
  return { root, entries: images.map((path) => ({ path })), ignored };
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

function asList(paths: DatasetOptions['paths'] = []): readonly string[] {
  return typeof paths === 'string' ? [paths] : paths;
}
